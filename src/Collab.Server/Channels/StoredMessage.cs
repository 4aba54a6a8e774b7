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

    /// <summary>The same message for a reader who does not get the so many before it.</summary>
    public StoredMessage Skipping(long count) =>
        count == 0 ? this : new StoredMessage(Offset, Message with { Skipped = count });

    /// <summary>The message as one JSON object on one line, in UTF-8.</summary>
    public byte[] Json => _json ??= JsonSerializer.SerializeToUtf8Bytes(Message, JsonSerializerOptions.Web);
}
