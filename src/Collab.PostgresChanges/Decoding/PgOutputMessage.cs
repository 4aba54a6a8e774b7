using System.Buffers.Binary;
using System.Text;

namespace Collab.PostgresChanges.Decoding;

/// <summary>
/// Walks over the bytes of one message of <c>pgoutput</c>, Postgres' own plugin for logical decoding, in the protocol's version 1 (PostgreSQL
/// documentation, "Logical Replication Message Formats"). All numbers are big-endian.
/// </summary>
internal ref struct PgOutputMessage(ReadOnlySpan<byte> bytes)
{
    private readonly int _length = bytes.Length;
    private ReadOnlySpan<byte> _rest = bytes;

    public bool IsAtEnd => _rest.IsEmpty;

    public byte ReadByte()
    {
        var value = _rest[0];
        _rest = _rest[1..];
        return value;
    }

    public short ReadInt16()
    {
        var value = BinaryPrimitives.ReadInt16BigEndian(_rest);
        _rest = _rest[2..];
        return value;
    }

    public int ReadInt32()
    {
        var value = BinaryPrimitives.ReadInt32BigEndian(_rest);
        _rest = _rest[4..];
        return value;
    }

    public uint ReadId() => (uint)ReadInt32();

    public long ReadInt64()
    {
        var value = BinaryPrimitives.ReadInt64BigEndian(_rest);
        _rest = _rest[8..];
        return value;
    }

    /// <summary>A place in the write-ahead log.</summary>
    public ulong ReadLsn() => (ulong)ReadInt64();

    /// <summary>Microseconds since the beginning of 2000.</summary>
    public DateTime ReadTime() => new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddMicroseconds(ReadInt64());

    public string ReadString()
    {
        var end = _rest.IndexOf((byte)0);
        var value = Encoding.UTF8.GetString(_rest[..end]);
        _rest = _rest[(end + 1)..];
        return value;
    }

    /// <summary>Reads a row: for each column where its text stands in the message.</summary>
    /// <param name="row">Takes what was read.</param>
    public void ReadRow(Row row)
    {
        row.Clear(ReadInt16());
        for (var i = 0; i < row.Count; i++)
        {
            switch (ReadByte())
            {
                case (byte)'n':
                    row[i] = RowValue.Null;
                    break;
                case (byte)'u':
                    row[i] = RowValue.Unchanged;
                    break;
                default:
                    var length = ReadInt32();
                    row[i] = new RowValue(RowValueKind.Text, _length - _rest.Length, length);
                    _rest = _rest[length..];
                    break;
            }
        }
    }
}
