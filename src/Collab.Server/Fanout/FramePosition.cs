using System.Text.Json;
using System.Text.Json.Serialization;
using Collab.Protocol;
using Collab.Server.Rooms;
using MessagePack;
using MessagePack.Formatters;

namespace Collab.Server.Fanout;

/// <summary>
/// The position argument of a message that comes from a room's log. On the wire it is the opaque position string; inside the server
/// it also tells each outbox what the message covers, so that a cursor can follow the log without looking into the bytes.
/// </summary>
[JsonConverter(typeof(FramePositionJsonConverter))]
internal sealed class FramePosition(RoomKey room, string epoch, long after, long through, string? soleWriter)
{
    private readonly string _text = new Position(epoch, through).ToString();

    /// <summary>The room whose log the message comes from.</summary>
    public RoomKey Room { get; } = room;

    /// <summary>The message covers the entries with larger offsets than this…</summary>
    public long After { get; } = after;

    /// <summary>… up to and including this one.</summary>
    public long Through { get; } = through;

    /// <summary>The connection that wrote everything the message covers and so need not get it back; null when there are several.</summary>
    public string? SoleWriter { get; } = soleWriter;

    public override string ToString() => _text;
}

/// <summary>Writes a <see cref="FramePosition"/> as the position string.</summary>
internal sealed class FramePositionJsonConverter : JsonConverter<FramePosition>
{
    public override FramePosition Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("A frame's position is only ever sent.");

    public override void Write(Utf8JsonWriter writer, FramePosition value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}

/// <inheritdoc cref="FramePositionJsonConverter"/>
internal sealed class FramePositionMessagePackFormatter : IMessagePackFormatter<FramePosition>
{
    public FramePosition Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options) =>
        throw new NotSupportedException("A frame's position is only ever sent.");

    public void Serialize(ref MessagePackWriter writer, FramePosition value, MessagePackSerializerOptions options) =>
        writer.Write(value.ToString());
}
