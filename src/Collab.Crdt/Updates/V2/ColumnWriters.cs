namespace Collab.Crdt;

/// <summary>
/// Writes a column of bytes as runs: the value, then how many more of it follow. The last run has no count, and readers
/// repeat it for ever (lib0 <c>RleEncoder</c>).
/// </summary>
internal sealed class ByteColumnWriter : IDisposable
{
    private readonly Lib0Writer _column = new(64);
    private byte _value;
    private uint _count;

    public void Write(byte value)
    {
        if (_count > 0 && _value == value)
        {
            _count++;
            return;
        }
        if (_count > 0)
            _column.WriteVarUint(_count - 1);
        _column.WriteByte(value);
        (_value, _count) = (value, 1);
    }

    public ReadOnlySpan<byte> Finish() => _column.Written;

    public void Clear()
    {
        _column.Clear();
        _count = 0;
    }

    public void Dispose() => _column.Dispose();
}

/// <summary>
/// Writes a column of unsigned numbers as runs: the value, and when it stands more than once, with a minus sign and followed by
/// the count less two (lib0 <c>UintOptRleEncoder</c>).
/// </summary>
internal sealed class NumberColumnWriter : IDisposable
{
    private readonly Lib0Writer _column = new(64);
    private ulong _value;
    private uint _count;

    public void Write(ulong value)
    {
        if (_count > 0 && _value == value)
        {
            _count++;
            return;
        }
        EndRun();
        (_value, _count) = (value, 1);
    }

    public ReadOnlySpan<byte> Finish()
    {
        EndRun();
        return _column.Written;
    }

    public void Clear()
    {
        _column.Clear();
        _count = 0;
    }

    public void Dispose() => _column.Dispose();

    private void EndRun()
    {
        if (_count > 0)
            _column.WriteVarInt((long)_value, isNegative: _count > 1);
        if (_count > 1)
            _column.WriteVarUint(_count - 2);
        _count = 0;
    }
}

/// <summary>
/// Writes a column of clocks as runs of equal differences: the difference doubled, plus one when it stands more than once and the
/// count less two follows (lib0 <c>IntDiffOptRleEncoder</c>).
/// </summary>
internal sealed class ClockColumnWriter : IDisposable
{
    private readonly Lib0Writer _column = new(64);
    private long _value, _difference;
    private uint _count;

    public void Write(uint value)
    {
        var difference = value - _value;
        _value = value;
        if (_count > 0 && _difference == difference)
        {
            _count++;
            return;
        }
        EndRun();
        (_difference, _count) = (difference, 1);
    }

    public ReadOnlySpan<byte> Finish()
    {
        EndRun();
        return _column.Written;
    }

    public void Clear()
    {
        _column.Clear();
        (_value, _difference, _count) = (0, 0, 0);
    }

    public void Dispose() => _column.Dispose();

    private void EndRun()
    {
        if (_count > 0)
        {
            var doubled = _difference * 2 + (_count > 1 ? 1 : 0);
            _column.WriteVarInt(doubled, isNegative: doubled < 0);
        }
        if (_count > 1)
            _column.WriteVarUint(_count - 2);
        _count = 0;
    }
}

/// <summary>Writes the column of strings: all of them as one, then their lengths in UTF-16 units (lib0 <c>StringEncoder</c>).</summary>
internal sealed class StringColumnWriter : IDisposable
{
    private readonly Lib0Writer _text = new(64), _column = new(64);
    private readonly NumberColumnWriter _lengths = new();

    public void Write(ReadOnlySpan<byte> utf8, uint length)
    {
        _text.WriteBytes(utf8);
        _lengths.Write(length);
    }

    public void Write(ReadOnlySpan<char> text)
    {
        _text.WriteUtf8(text);
        _lengths.Write((ulong)text.Length);
    }

    public ReadOnlySpan<byte> Finish()
    {
        _column.WriteVarBytes(_text.Written);
        _column.WriteBytes(_lengths.Finish());
        return _column.Written;
    }

    public void Clear()
    {
        _text.Clear();
        _column.Clear();
        _lengths.Clear();
    }

    public void Dispose()
    {
        _text.Dispose();
        _column.Dispose();
        _lengths.Dispose();
    }
}
