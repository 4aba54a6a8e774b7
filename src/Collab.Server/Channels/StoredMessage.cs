using System.Runtime.InteropServices;
using System.Text.Json;
using Collab.Protocol;

namespace Collab.Server.Channels;

/// <summary>A message with its offset, and its JSON as every text format sends it, made once.</summary>
internal sealed class StoredMessage(long offset, ChannelMessage message)
{
    private byte[]? _json;

    public long Offset { get; } = offset;

    public ChannelMessage Message { get; } = message;

    public JsonData Data => (JsonData)Message.Data!;

    /// <summary>What it weighs in memory and on the wire, about, in bytes.</summary>
    public int Weight => Data.Utf8.Length + 128;

    /// <summary>The message as one JSON object on one line, in UTF-8.</summary>
    public byte[] Json => _json ??= JsonSerializer.SerializeToUtf8Bytes(Message, JsonSerializerOptions.Web);

    /// <summary>The same message for a reader who does not get the so many before it.</summary>
    public StoredMessage Skipping(long count) =>
        count == (Message.Skipped ?? 0) ? this : new StoredMessage(Offset, Message with { Skipped = count == 0 ? null : count });

    /// <summary>The same message for a reader who sees these data of it.</summary>
    public StoredMessage Showing(JsonElement data)
    {
        var text = JsonMarshal.GetRawUtf8Value(data);
        return text.SequenceEqual(Data.Utf8.Span) ? this : new StoredMessage(Offset, Message with { Data = JsonData.FromStored(text.ToArray()) });
    }

    /// <summary>
    /// Says in messages that follow an offset what stands between them in the log and is not given: so a reader can tell that nothing is lost.
    /// </summary>
    public static IReadOnlyList<StoredMessage> CountSkipped(long after, IReadOnlyList<StoredMessage> messages)
    {
        if (messages.Count == 0 || messages[^1].Offset == after + messages.Count)
            return messages;
        var counted = new StoredMessage[messages.Count];
        for (var i = 0; i < counted.Length; i++)
        {
            counted[i] = messages[i].Skipping(messages[i].Offset - after - 1);
            after = counted[i].Offset;
        }

        return counted;
    }
}
