using Collab.Protocol;
using MessagePack;
using MessagePack.Formatters;

namespace Collab.Server.Channels;

/// <summary>Reads <see cref="SubscribeOptions"/> with the presence data as JSON, as the JSON protocol has it.</summary>
internal sealed class SubscribeOptionsMessagePackFormatter : IMessagePackFormatter<SubscribeOptions?>
{
    private static readonly JsonDataMessagePackFormatter Data = new();

    public SubscribeOptions? Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options)
    {
        if (reader.TryReadNil())
            return null;
        string? after = null;
        int? rewind = null;
        object? presence = null;
        for (var left = reader.ReadMapHeader(); left > 0; left--)
        {
            switch (reader.ReadString())
            {
                case "after":
                    after = reader.ReadString();
                    break;
                case "rewind":
                    rewind = reader.TryReadNil() ? null : reader.ReadInt32();
                    break;
                case "presence":
                    presence = Data.Deserialize(ref reader, options);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return new SubscribeOptions { After = after, Rewind = rewind, Presence = presence };
    }

    public void Serialize(ref MessagePackWriter writer, SubscribeOptions? value, MessagePackSerializerOptions options) =>
        throw new NotSupportedException("Options of a subscription are only ever received.");
}
