using System.Text.Json;

namespace Collab.Crdt.Bench;

/// <summary>Stands in for recorded traces: the same shapes, made up from a seed.</summary>
internal static class SyntheticTraces
{
    public const string Sequential = "synthetic-sequential";

    public const string Concurrent = "synthetic-concurrent";

    // As many as in automerge-paper and friendsforever.
    private const int Edits = 259_778, Updates = 26_078;

    /// <summary>
    /// One author types, and now and then goes elsewhere or deletes backwards for a while: seven edits in ten insert a letter.
    /// </summary>
    public static void WriteSequential(Stream stream)
    {
        var random = new Mulberry(1);
        int length = 0, cursor = 0, deleting = 0;
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartObject();
        json.WriteString("source", "made up from a seed");
        json.WriteStartArray("txns");
        for (var i = 0; i < Edits; i++)
        {
            if (deleting == 0 && random.Below(25) == 0)
            {
                if (random.Below(2) == 0)
                    cursor = random.Below(length + 1);
                else
                    deleting = 1 + random.Below(40);
            }
            var deletes = deleting > 0 && cursor > 0;
            deleting = deletes ? deleting - 1 : 0;
            json.WriteStartArray();
            json.WriteStartArray();
            json.WriteNumberValue(deletes ? --cursor : cursor);
            json.WriteNumberValue(deletes ? 1 : 0);
            json.WriteStringValue(deletes ? "" : Bench.Edits.Letters(random, 1));
            json.WriteEndArray();
            json.WriteEndArray();
            length += deletes ? -1 : 1;
            cursor += deletes ? 0 : 1;
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Two writers: each types on at its own last letter, goes elsewhere now and then, and deletes one letter in eight.</summary>
    public static void WriteConcurrent(Stream stream)
    {
        var random = new Random(1);
        using var file = new BinaryWriter(stream);
        file.Write(Updates);
        byte[] first = [1, 1, 1, 0, 4, 1, 4, (byte)'t', (byte)'e', (byte)'x', (byte)'t', 1, (byte)'a', 0];
        file.Write(first.Length);
        file.Write(first);
        Span<uint> clocks = [0, 1, 0];
        Span<(uint Client, uint Clock)> cursors = [(1, 0), (1, 0), (1, 0)];
        for (var written = 1; written < Updates;)
        {
            var writer = (uint)random.Next(1, 3);
            var update = new List<byte>();
            if (random.Next(8) == 0)
            {
                var target = (uint)random.Next(1, 3);
                if (clocks[(int)target] == 0)
                    continue;
                update.AddRange([0, 1, (byte)target, 1]);
                Add(update, (uint)random.Next((int)clocks[(int)target]));
                update.Add(1);
            }
            else
            {
                if (random.Next(12) == 0)
                    cursors[(int)writer] = (1, (uint)random.Next((int)clocks[1]));
                update.AddRange([1, 1, (byte)writer]);
                Add(update, clocks[(int)writer]);
                update.AddRange([0x84, (byte)cursors[(int)writer].Client]);
                Add(update, cursors[(int)writer].Clock);
                update.AddRange([1, (byte)random.Next('a', 'z' + 1), 0]);
                cursors[(int)writer] = (writer, clocks[(int)writer]++);
            }
            file.Write(update.Count);
            file.Write(update.ToArray());
            written++;
        }
    }

    private static void Add(List<byte> update, uint value)
    {
        for (; value >= 0x80; value >>= 7)
            update.Add((byte)(value | 0x80));
        update.Add((byte)value);
    }
}
