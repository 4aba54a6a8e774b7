using System.Text;

namespace Collab.Crdt;

/// <summary>Reads a column of bytes as <see cref="ByteColumnWriter"/> writes it; the last value repeats for ever.</summary>
internal ref struct ByteColumnReader(Lib0Reader column)
{
    private Lib0Reader _column = column;
    private ulong _left;
    private byte _value;

    public readonly int Position => _column.Position;

    public byte Read()
    {
        if (_left == 0)
        {
            _value = _column.ReadByte();
            _left = _column.Remaining > 0 ? _column.ReadVarUint() + 1 : ulong.MaxValue;
        }
        _left--;
        return _value;
    }
}

/// <summary>Reads a column of unsigned numbers as <see cref="NumberColumnWriter"/> writes it.</summary>
internal ref struct NumberColumnReader(Lib0Reader column)
{
    private Lib0Reader _column = column;
    private ulong _value, _left;

    public readonly int Position => _column.Position;

    public ulong Read()
    {
        if (_left == 0)
        {
            var value = _column.ReadVarInt();
            _value = (ulong)Math.Abs(value);
            _left = double.IsNegative(value) ? _column.ReadVarUint() + 2 : 1;
        }
        _left--;
        return _value;
    }

    /// <summary>A length of clocks.</summary>
    public uint ReadLength(uint maxClock)
    {
        var length = Read();
        return length <= maxClock ? (uint)length : throw Faults.ClockTooLarge(Position, length, maxClock);
    }
}

/// <summary>Reads a column of clocks as <see cref="ClockColumnWriter"/> writes it.</summary>
internal ref struct ClockColumnReader(Lib0Reader column)
{
    private Lib0Reader _column = column;
    private long _value, _difference;
    private ulong _left;

    public uint Read(uint maxClock)
    {
        if (_left == 0)
        {
            var doubled = (long)_column.ReadVarInt();
            _difference = doubled >> 1;
            _left = (doubled & 1) != 0 ? _column.ReadVarUint() + 2 : 1;
        }
        _left--;
        _value += _difference;
        if (_value < 0)
            throw Faults.At(UpdateFaultKind.InvalidReference, _column.Position, $"clock {_value} is below 0");
        return _value <= maxClock ? (uint)_value : throw Faults.ClockTooLarge(_column.Position, (ulong)_value, maxClock);
    }
}

/// <summary>
/// One string of the column: bytes of the update. Where its ends split a surrogate pair, the halves are not among the bytes.
/// </summary>
internal readonly record struct StringSlice(int Start, int End, uint Length, bool BeginsWithHalf, bool EndsWithHalf);

/// <summary>Reads the column of strings as <see cref="StringColumnWriter"/> writes it.</summary>
internal ref struct StringColumnReader
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly int _end;
    private readonly bool _isAscii;
    private NumberColumnReader _lengths;
    private int _at;

    // The first half of the surrogate pair at _at has been read.
    private bool _insidePair;

    public StringColumnReader(Lib0Reader column)
    {
        var text = column.ReadVarString();
        _bytes = column.Bytes;
        _end = column.Position;
        _at = _end - text.Length;
        _isAscii = Ascii.IsValid(text);
        _lengths = new NumberColumnReader(column);
    }

    public StringSlice Read()
    {
        var length = _lengths.Read();
        if (length > (ulong)(_end - _at))
            throw Faults.LengthTooLarge(_lengths.Position, length, _end - _at);
        var start = _at;
        if (_isAscii)
        {
            _at += (int)length;
            return new StringSlice(start, _at, (uint)length, false, false);
        }
        return ReadUnits((uint)length);
    }

    private StringSlice ReadUnits(uint length)
    {
        var left = length;
        var beginsWithHalf = _insidePair && left > 0;
        if (beginsWithHalf)
        {
            _at += 4;
            left--;
            _insidePair = false;
        }
        var start = _at;
        while (left > 0)
        {
            if (_at == _end)
                throw Faults.LengthTooLarge(_lengths.Position, length, _end - start);
            var lead = _bytes[_at];
            if (lead >= 0xF0 && left == 1)
            {
                _insidePair = true;
                break;
            }
            left -= lead < 0xF0 ? 1u : 2u;
            _at += lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        }
        return new StringSlice(start, _at, length, beginsWithHalf, _insidePair && length > 0);
    }
}
