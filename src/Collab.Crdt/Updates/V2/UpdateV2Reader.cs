namespace Collab.Crdt;

/// <summary>
/// Reads an update of format v2 and writes it in format v1, or in the dialect. A column of a few bytes can say that there are
/// billions of structs, so their number is bounded by the bytes, and with it what is written.
/// </summary>
internal ref struct UpdateV2Reader
{
    /// <summary>The smallest update: a flag, nine columns of which one has a byte, and two counts.</summary>
    private const int MinBytes = 13;

    /// <summary>
    /// How many structs a byte may stand for, beside <see cref="FreeStructs"/>. Real documents need more than one: items that were
    /// put in front of one another and then deleted are the same in every column.
    /// </summary>
    private const int StructsPerByte = 8, FreeStructs = 65_536;

    /// <summary>No struct has a head of more bytes in format v1: info, two ids, a length.</summary>
    private const int BytesPerStruct = 48;

    private readonly ReadOnlySpan<byte> _update;
    private readonly UpdateLimits _limits;
    private readonly bool _json;
    private readonly int _maxDepth;
    private readonly long _maxOutput;
    private readonly Lib0Writer _writer;
    private readonly List<StringSlice> _keys = [];
    private long _structsLeft;

    private ClockColumnReader _keyClocks, _leftClocks, _rightClocks;
    private NumberColumnReader _clients, _typeRefs, _lengths;
    private ByteColumnReader _infos, _parentInfos;
    private StringColumnReader _strings;
    private Lib0Reader _rest;

    /// <summary>Prepares to write <paramref name="update"/> to <paramref name="writer"/>; with <paramref name="json"/>, in format v1 proper.</summary>
    public UpdateV2Reader(ReadOnlySpan<byte> update, UpdateLimits limits, bool json, Lib0Writer writer)
    {
        if (update.Length < MinBytes)
        {
            throw Faults.At(
                UpdateFaultKind.Truncated, update.Length, $"{update.Length} bytes, and format v2 takes {MinBytes} or more. Is it an update in format v1?");
        }
        _update = update;
        _limits = limits;
        _json = json;
        _writer = writer;
        // JSON is written from values, which are built by recursion.
        _maxDepth = json ? Math.Min(limits.MaxDepth, JsonParser.MaxDepth) : limits.MaxDepth;
        _structsLeft = Math.Min(limits.MaxStructs, (long)StructsPerByte * update.Length + FreeStructs);
        // JSON takes at most sixteen times the bytes of its value; the rest are keys written in full that stood once.
        _maxOutput = Math.Min(BytesPerStruct * _structsLeft + 16L * update.Length, 1 << 29);

        _rest = new Lib0Reader(update);
        _rest.ReadVarUint();
        _keyClocks = new ClockColumnReader(NextColumn());
        _clients = new NumberColumnReader(NextColumn());
        _leftClocks = new ClockColumnReader(NextColumn());
        _rightClocks = new ClockColumnReader(NextColumn());
        _infos = new ByteColumnReader(NextColumn());
        _strings = new StringColumnReader(NextColumn());
        _parentInfos = new ByteColumnReader(NextColumn());
        _typeRefs = new NumberColumnReader(NextColumn());
        _lengths = new NumberColumnReader(NextColumn());
    }

    /// <summary>
    /// Writes the whole update. When the output passes <paramref name="stopAt"/> bytes, stops there. Returns where the last column
    /// was left, which for a stop is the struct in question.
    /// </summary>
    public int Run(int stopAt = int.MaxValue)
    {
        var sections = _rest.ReadCount(bytesEach: 2);
        _writer.WriteVarUint((ulong)sections);
        for (; sections > 0; sections--)
        {
            var at = _rest.Position;
            var structs = _rest.ReadVarUint();
            if (structs > (ulong)_structsLeft)
                throw TooManyStructs(at);
            _structsLeft -= (long)structs;
            _writer.WriteVarUint(structs);
            _writer.WriteVarUint(ReadClient());
            ulong clock = _rest.ReadClock(_limits.MaxClock);
            _writer.WriteVarUint(clock);
            for (; structs > 0; structs--)
            {
                at = _rest.Position;
                clock += WriteStruct();
                if (clock > _limits.MaxClock)
                    throw Faults.ClockTooLarge(at, clock, _limits.MaxClock);
                if (_writer.Length > _maxOutput)
                    throw Faults.At(UpdateFaultKind.TooLarge, at, $"{_update.Length} bytes stand for more than {_maxOutput}");
                if (_writer.Length > stopAt)
                    return at;
            }
        }
        WriteDeletes();
        if (_rest.Remaining > 0 && !_limits.AllowTrailingBytes)
            throw Faults.At(UpdateFaultKind.TrailingBytes, _rest.Position, $"{_rest.Remaining} bytes after the end");
        return _rest.Position;
    }

    // A column keeps its place in the update, so that faults tell their offset.
    private Lib0Reader NextColumn()
    {
        var length = _rest.ReadVarBytes().Length;
        return new Lib0Reader(_update[.._rest.Position]) { Position = _rest.Position - length };
    }

    private uint WriteStruct()
    {
        var at = _infos.Position;
        var info = _infos.Read();
        var kind = (StructKind)(info & StructHeader.KindBits);
        uint length;
        switch (kind)
        {
            case StructKind.Gc:
                _writer.WriteByte(_json ? (byte)0 : info);
                length = _lengths.ReadLength(_limits.MaxClock);
                _writer.WriteVarUint(length);
                return length;
            case StructKind.Skip when info == (byte)StructKind.Skip:
                _writer.WriteByte(info);
                length = _rest.ReadClock(_limits.MaxClock);
                _writer.WriteVarUint(length);
                return length;
            case > StructKind.Doc:
                throw Faults.UnknownContent(at, info);
            default:
                _writer.WriteByte(InfoToWrite(info, kind));
                WriteNeighbours(info);
                return WriteContent(kind);
        }
    }

    private readonly byte InfoToWrite(byte info, StructKind kind)
    {
        if (_json)
            return StructHeader.Canonical(info);
        var inDialect = kind switch
        {
            StructKind.Embed => StructKind.EmbedAny,
            StructKind.Format => StructKind.FormatAny,
            _ => kind,
        };
        return (byte)((info & ~StructHeader.KindBits) | (byte)inDialect);
    }

    private void WriteNeighbours(byte info)
    {
        if ((info & StructHeader.HasOrigin) != 0)
            WriteLeftId();
        if ((info & StructHeader.HasRightOrigin) != 0)
        {
            _writer.WriteVarUint(ReadClient());
            _writer.WriteVarUint(_rightClocks.Read(_limits.MaxClock));
        }
        if ((info & (StructHeader.HasOrigin | StructHeader.HasRightOrigin)) != 0)
            return;

        var isRoot = _parentInfos.Read();
        _writer.WriteVarUint(isRoot);
        if (isRoot == 1)
            WriteString(_strings.Read());
        else
            WriteLeftId();
        if ((info & StructHeader.HasKey) != 0)
            WriteString(_strings.Read());
    }

    private uint WriteContent(StructKind kind)
    {
        uint length;
        switch (kind)
        {
            case StructKind.Deleted:
                length = _lengths.ReadLength(_limits.MaxClock);
                _writer.WriteVarUint(length);
                return length;
            case StructKind.String:
                var text = _strings.Read();
                WriteString(text);
                return text.Length;
            case StructKind.Any:
                return WriteValues();
            case StructKind.Json:
                return WriteTexts();
            case StructKind.Binary:
                _writer.WriteVarBytes(_rest.ReadVarBytes());
                return 1;
            case StructKind.Embed:
                WriteValue();
                return 1;
            case StructKind.Format:
                WriteKey();
                WriteValue();
                return 1;
            case StructKind.Type:
                WriteType();
                return 1;
            default:
                WriteString(_strings.Read());
                CopyAny();
                return 1;
        }
    }

    private uint WriteValues()
    {
        var count = _lengths.Read();
        if (count > (ulong)_rest.Remaining)
            throw Faults.CountTooLarge(_lengths.Position, count, _rest.Remaining);
        _writer.WriteVarUint(count);
        for (var i = 0ul; i < count; i++)
            CopyAny();
        return (uint)count;
    }

    private uint WriteTexts()
    {
        // A text may take no byte at all, so each counts as a struct.
        var count = _lengths.Read();
        if (count > (ulong)_structsLeft)
            throw TooManyStructs(_lengths.Position);
        _structsLeft -= (long)count;
        _writer.WriteVarUint(count);
        for (var i = 0ul; i < count; i++)
            WriteString(_strings.Read());
        return (uint)count;
    }

    private void WriteType()
    {
        var at = _typeRefs.Position;
        var type = _typeRefs.Read();
        if (type > 6)
            throw Faults.UnknownType(at, type);
        _writer.WriteVarUint(type);
        if (type is 3 or 5)
            WriteKey();
    }

    /// <summary>The value of an embed or a format: an Any, or in format v1 a JSON text.</summary>
    private void WriteValue()
    {
        if (!_json)
        {
            CopyAny();
            return;
        }
        var value = _rest;
        AnyValue.Skip(ref _rest, _maxDepth);
        using var json = new Lib0Writer(64);
        AnyJson.Write(json, AnyEncoding.Read(ref value));
        _writer.WriteVarBytes(json.Written);
    }

    private void CopyAny()
    {
        var start = _rest.Position;
        AnyValue.Skip(ref _rest, _limits.MaxDepth);
        _writer.WriteBytes(_update[start.._rest.Position]);
    }

    // A key is a number: of a key that was read before, or else of the next one.
    private void WriteKey()
    {
        var number = _keyClocks.Read(_limits.MaxClock);
        if (number >= _keys.Count)
        {
            number = (uint)_keys.Count;
            _keys.Add(_strings.Read());
        }
        WriteString(_keys[(int)number]);
    }

    private readonly void WriteString(in StringSlice text)
    {
        var halves = (text.BeginsWithHalf ? 1 : 0) + (text.EndsWithHalf ? 1 : 0);
        _writer.WriteVarUint((ulong)(text.End - text.Start + halves * StructWriter.ReplacementCharacter.Length));
        if (text.BeginsWithHalf)
            _writer.WriteBytes(StructWriter.ReplacementCharacter);
        _writer.WriteBytes(_update[text.Start..text.End]);
        if (text.EndsWithHalf)
            _writer.WriteBytes(StructWriter.ReplacementCharacter);
    }

    private void WriteLeftId()
    {
        _writer.WriteVarUint(ReadClient());
        _writer.WriteVarUint(_leftClocks.Read(_limits.MaxClock));
    }

    private ulong ReadClient() => _clients.Read();

    private void WriteDeletes()
    {
        var clients = _rest.ReadCount(bytesEach: 2);
        _writer.WriteVarUint((ulong)clients);
        for (; clients > 0; clients--)
        {
            _writer.WriteVarUint(_rest.ReadVarUint());
            var ranges = _rest.ReadCount(bytesEach: 2);
            _writer.WriteVarUint((ulong)ranges);
            ulong clock = 0;
            for (; ranges > 0; ranges--)
            {
                var at = _rest.Position;
                clock += _rest.ReadVarUint();
                var length = _rest.ReadVarUint() + 1;
                if (clock + length > _limits.MaxClock)
                    throw Faults.ClockTooLarge(at, clock + length, _limits.MaxClock);
                _writer.WriteVarUint(clock);
                _writer.WriteVarUint(length);
                clock += length;
            }
        }
    }

    private readonly InvalidUpdateException TooManyStructs(int offset) =>
        Faults.At(UpdateFaultKind.TooLarge, offset, $"too many structs for {_update.Length} bytes, or for the limit of {_limits.MaxStructs}");
}
