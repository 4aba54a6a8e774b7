using Collab.Load.Protocols;

namespace Collab.Load.Updates;

/// <summary>Walks the structs of a Yjs update (format v1) and yields which clocks of which client it carries.</summary>
internal ref struct UpdateRanges
{
    private const int DeletedContent = 1;
    private const int StringContent = 4;
    private const int Skip = 10;

    private ByteReader _reader;
    private ulong _clientsLeft;
    private ulong _structsLeft;

    public UpdateRanges(ReadOnlySpan<byte> update)
    {
        _reader = new ByteReader(update);
        _clientsLeft = _reader.VarUint();
    }

    public uint Client { get; private set; }

    /// <summary>The first clock of the current struct.</summary>
    public long Start { get; private set; }

    /// <summary>The clock after the current struct.</summary>
    public long End { get; private set; }

    /// <exception cref="InvalidDataException">A content that the generator never writes.</exception>
    public bool Next()
    {
        while (true)
        {
            while (_structsLeft == 0)
            {
                if (_clientsLeft == 0)
                    return false;
                _clientsLeft--;
                _structsLeft = _reader.VarUint();
                Client = (uint)_reader.VarUint();
                End = (long)_reader.VarUint();
            }

            _structsLeft--;
            Start = End;
            var info = _reader.Byte();
            End += Length(info);
            if ((info & 0x1f) != Skip)
                return true;
        }
    }

    private long Length(byte info)
    {
        var content = info & 0x1f;
        if (content is 0 or Skip) // garbage, or a hole
            return (long)_reader.VarUint();
        for (var origin = info & 0xc0; origin != 0; origin = (origin << 1) & 0xc0)
        {
            if ((origin & 0x80) == 0)
                continue;
            _reader.VarUint();
            _reader.VarUint();
        }

        if ((info & 0xc0) == 0)
        {
            if (_reader.VarUint() == 1)
            {
                _reader.VarBytes(); // the root's name
            }
            else
            {
                _reader.VarUint();
                _reader.VarUint();
            }

            if ((info & 0x20) != 0)
                _reader.VarBytes();
        }

        return content switch
        {
            DeletedContent => (long)_reader.VarUint(),
            StringContent => _reader.VarBytes().Length, // ASCII only, so bytes are UTF-16 units
            _ => throw new InvalidDataException($"content {content} in an update"),
        };
    }
}
