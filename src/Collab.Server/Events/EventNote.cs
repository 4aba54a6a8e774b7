using System.Text.Json;
using System.Text.Json.Serialization;
using Collab.Protocol;
using Collab.Server.Documents.Handlers;
using Collab.Server.Documents.Versions;
using Collab.Server.Rooms;

namespace Collab.Server.Events;

/// <summary>
/// What the outbox keeps of an event: what has happened where, and which part of the room's log it speaks of. What changed is read from that log
/// when the event is sent.
/// </summary>
/// <param name="Type">What has happened; see <see cref="EventTypes"/>.</param>
/// <param name="Kind">A document or a channel.</param>
/// <param name="Room">Its name.</param>
internal sealed partial record EventNote(
    [property: JsonPropertyName("t")] string Type,
    [property: JsonPropertyName("k")] RoomKind Kind,
    [property: JsonPropertyName("r")] string Room)
{
    /// <summary>The epoch of the room's log; null when it is not about the log.</summary>
    [JsonPropertyName("e")]
    public string? Epoch { get; init; }

    /// <summary>The offset before the first entry that it speaks of.</summary>
    [JsonPropertyName("a")]
    public long After { get; init; }

    /// <summary>The offset of the last entry that it speaks of.</summary>
    [JsonPropertyName("p")]
    public long Through { get; init; }

    /// <summary>Who has written them.</summary>
    [JsonPropertyName("u")]
    public IReadOnlyList<string>? Users { get; init; }

    /// <summary>What else the event's data has: a JSON object.</summary>
    [JsonPropertyName("d")]
    public JsonElement? Data { get; init; }

    /// <summary>Whether several of these that follow each other can be told as one.</summary>
    [JsonIgnore]
    public bool IsChatty => Type is EventTypes.DocumentChanged or EventTypes.ChannelPublished;

    /// <summary>The event's <c>subject</c>.</summary>
    [JsonIgnore]
    public string Subject => (Kind == RoomKind.Channel ? "channels/" : "documents/") + Room;

    public static EventNote OfVersion(string documentId, DocumentVersion version) =>
        new(EventTypes.VersionMade, RoomKind.Document, documentId) { Data = Json(new { version }) };

    public static EventNote OfMember(string type, string channel, ChannelMember member) =>
        new(type, RoomKind.Channel, channel) { Data = Json(new { user = member.UserId, connection = member.ConnectionId, shows = member.Data }) };

    public static EventNote OfParticipant(string type, string documentId, DocumentParticipant participant) =>
        new(type, RoomKind.Document, documentId)
        {
            Data = Json(new { user = participant.UserId, connection = participant.ConnectionId, canWrite = participant.CanWrite }),
        };

    public static EventNote Decode(ReadOnlyMemory<byte> note) => JsonSerializer.Deserialize(note.Span, Format.Default.EventNote)!;

    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, Format.Default.EventNote);

    /// <summary>This and what follows it, told as one; null when they cannot be.</summary>
    public EventNote? With(EventNote next) =>
        !IsChatty || next.Type != Type || next.Epoch != Epoch ? null
        : this with
        {
            After = Math.Min(After, next.After),
            Through = Math.Max(Through, next.Through),
            Users = Union(Users, next.Users),
        };

    private static IReadOnlyList<string>? Union(IReadOnlyList<string>? some, IReadOnlyList<string>? others) =>
        others is null || (some is not null && others.All(some.Contains)) ? some : some is null ? others : [.. some.Union(others)];

    private static JsonElement Json<T>(T value) => JsonSerializer.SerializeToElement(value, JsonSerializerOptions.Web);

    /// <summary>How notes are written; made by the compiler, for there are many.</summary>
    [JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
    [JsonSerializable(typeof(EventNote))]
    private sealed partial class Format : JsonSerializerContext;
}
