using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Collab.Server.Channels;

/// <summary>
/// Joins neighbouring pieces of one text: messages of one event and publisher whose data are objects with the same <c>id</c> and a
/// string <c>text</c>. The last one's other properties win, and its position, so the reader gets the same text in fewer pieces.
/// </summary>
internal static class TextPieces
{
    public static IReadOnlyList<StoredMessage> Join(IReadOnlyList<StoredMessage> messages)
    {
        if (messages.Count < 2)
            return messages;
        var joined = new List<StoredMessage>(messages.Count);
        for (int first = 0, next; first < messages.Count; first = next)
        {
            next = first + 1;
            if (TextOf(messages[first], out var id) is { } piece)
            {
                var text = new StringBuilder(piece);
                while (next < messages.Count
                    && IsAlike(messages[first], messages[next])
                    && TextOf(messages[next], out var nextId) is { } more
                    && nextId == id)
                {
                    text.Append(more);
                    next++;
                }

                joined.Add(next == first + 1 ? messages[first] : WithText(messages[next - 1], text.ToString()));
            }
            else
            {
                joined.Add(messages[first]);
            }
        }

        return joined;
    }

    private static bool IsAlike(StoredMessage a, StoredMessage b) =>
        a.Message.Event == b.Message.Event && a.Message.Publisher == b.Message.Publisher;

    private static string? TextOf(StoredMessage message, out string? id)
    {
        id = null;
        using var data = JsonDocument.Parse(message.Data.Utf8);
        if (data.RootElement.ValueKind is not JsonValueKind.Object
            || !data.RootElement.TryGetProperty("id", out var idValue)
            || !data.RootElement.TryGetProperty("text", out var text)
            || text.ValueKind is not JsonValueKind.String)
            return null;
        id = idValue.GetRawText();
        return text.GetString();
    }

    private static StoredMessage WithText(StoredMessage last, string text)
    {
        var output = new ArrayBufferWriter<byte>(last.Data.Utf8.Length + text.Length);
        using (var data = JsonDocument.Parse(last.Data.Utf8))
        using (var writer = new Utf8JsonWriter(output))
        {
            writer.WriteStartObject();
            foreach (var property in data.RootElement.EnumerateObject())
            {
                if (property.NameEquals("text"u8))
                    writer.WriteString("text"u8, text);
                else
                    property.WriteTo(writer);
            }

            writer.WriteEndObject();
        }

        return new StoredMessage(last.Offset, last.Message with { Data = JsonData.FromStored(output.WrittenMemory) });
    }
}
