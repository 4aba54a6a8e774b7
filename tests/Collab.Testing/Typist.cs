using System.Text;

namespace Collab.Testing;

/// <summary>
/// Writes the Yjs updates (format v1) of somebody who types at the end of his own text in the root <c>t</c>, and reads back how much
/// of it there is.
/// </summary>
public sealed class Typist(ulong clientId)
{
    private uint _clock;

    public ulong ClientId => clientId;

    /// <summary>How many UTF-16 code units were typed.</summary>
    public uint Clock => _clock;

    /// <summary>The update that inserting <paramref name="text"/> (ASCII) makes.</summary>
    public byte[] Type(string text)
    {
        var bytes = new List<byte> { 1, 1 };
        WriteVarUint(bytes, clientId);
        WriteVarUint(bytes, _clock);
        if (_clock == 0)
        {
            // A string (4) whose parent is the root "t".
            bytes.AddRange([4, 1, 1, (byte)'t']);
        }
        else
        {
            // A string (4) with a left origin (0x80): the last unit before it.
            bytes.Add(0x84);
            WriteVarUint(bytes, clientId);
            WriteVarUint(bytes, _clock - 1);
        }

        WriteVarUint(bytes, (ulong)text.Length);
        bytes.AddRange(Encoding.ASCII.GetBytes(text));
        bytes.Add(0);
        _clock += (uint)text.Length;
        return [.. bytes];
    }

    /// <summary>How many units of this typist an update holds, from the first on without a gap.</summary>
    public uint Read(params ReadOnlyMemory<byte>[] updates) =>
        Crdt.StateVector.Decode(Crdt.Updates.StateVectorV1(Crdt.Updates.MergeV1(updates))).GetValueOrDefault(clientId);

    private static void WriteVarUint(List<byte> bytes, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
    }
}
