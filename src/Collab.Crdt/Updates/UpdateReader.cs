namespace Collab.Crdt;

/// <summary>
/// Walks an update in format v1, struct by struct, without building anything:
/// <code>
/// update     = count { section } delete-set
/// section    = count client clock { struct }          (clients descending; the clock is the first struct's)
/// delete-set = count { client count { clock length } }
/// </code>
/// Lengths, strings and values are checked against the bytes. Given limits, what Yjs alone would not stumble over is checked too.
/// </summary>
internal ref struct UpdateReader
{
    // What passed the validator under wider limits must still merge, and depth costs no call stack.
    private static readonly UpdateLimits Lenient = new() { MaxDepth = int.MaxValue };

    private readonly UpdateLimits _limits;
    private readonly bool _strict, _dialect;
    private Lib0Reader _reader;

    /// <summary>
    /// Reads <paramref name="update"/> leniently, as the algebra does, or strictly, as the validator does. Only a
    /// <paramref name="dialect"/> may hold the two kinds of structs that <see cref="UpdateV2"/> adds to format v1.
    /// </summary>
    public UpdateReader(ReadOnlySpan<byte> update, UpdateLimits? strict = null, bool dialect = false)
    {
        _reader = new Lib0Reader(update);
        _strict = strict is not null;
        _dialect = dialect;
        _limits = strict ?? Lenient;
        SectionsLeft = _reader.ReadCount(bytesEach: 3);
    }

    /// <summary>Sections that are still to be read.</summary>
    public int SectionsLeft { get; private set; }

    /// <summary>Structs of the current section that are still to be read.</summary>
    public int StructsLeft { get; private set; }

    /// <summary>Whose structs the current section holds.</summary>
    public ulong Client { get; private set; }

    /// <summary>The clock of the next struct.</summary>
    public uint Clock { get; private set; }

    public readonly int Position => _reader.Position;

    /// <summary>Goes to the next section; false when the delete set comes next. All structs of the last one must have been read.</summary>
    public bool NextSection()
    {
        if (SectionsLeft == 0)
            return false;
        SectionsLeft--;
        StructsLeft = _reader.ReadCount(bytesEach: 2);
        Client = _reader.ReadVarUint();
        Clock = _reader.ReadClock(_limits.MaxClock);
        return true;
    }

    /// <summary>Reads the next struct of the section; false when there is none.</summary>
    public bool NextStruct(ref StructHeader header)
    {
        if (StructsLeft == 0)
            return false;
        StructsLeft--;
        header.Start = _reader.Position;
        header.Clock = Clock;
        header.ParentOffset = 0;
        var info = header.Info = _reader.ReadByte();
        if ((info & StructHeader.KindBits) == (byte)StructKind.Gc || info == (byte)StructKind.Skip)
        {
            header.Content = _reader.Position;
            header.Length = _reader.ReadClock(_limits.MaxClock);
        }
        else
        {
            if (header.Kind > StructKind.Doc && !(_dialect && header.Kind is StructKind.EmbedAny or StructKind.FormatAny))
                throw Faults.UnknownContent(header.Start, info);
            ReadNeighbours(ref header);
            header.Content = _reader.Position;
            header.Length = SkipContent(header.Kind);
        }
        header.End = _reader.Position;
        var next = header.NextClock;
        if (next > _limits.MaxClock)
            throw Faults.ClockTooLarge(header.Start, next, _limits.MaxClock);
        Clock = (uint)next;
        return true;
    }

    /// <summary>Goes on to the delete set, which follows the last section.</summary>
    public DeleteSetReader DeleteSet() => new(_reader, _limits.MaxClock);

    private void ReadNeighbours(ref StructHeader header)
    {
        var info = header.Info;
        if ((info & StructHeader.HasOrigin) != 0)
            SkipId(header.Clock);
        if ((info & StructHeader.HasRightOrigin) != 0)
            SkipId(header.Clock);
        if ((info & (StructHeader.HasOrigin | StructHeader.HasRightOrigin)) != 0)
            return;

        var at = _reader.Position;
        var isRoot = _reader.ReadVarUint();
        if (isRoot == 1)
        {
            _reader.ReadVarString();
        }
        else
        {
            if (_strict && isRoot != 0)
                throw Faults.InvalidParentInfo(at, isRoot);
            header.ParentOffset = _reader.Position;
            SkipId(header.Clock);
        }
        if ((info & StructHeader.HasKey) != 0)
            _reader.ReadVarString();
    }

    private void SkipId(uint ownClock)
    {
        var at = _reader.Position;
        var id = StructId.Read(ref _reader, _limits.MaxClock);
        if (_strict && id.Client == Client && id.Clock >= ownClock)
            throw Faults.At(UpdateFaultKind.InvalidReference, at, $"clock {ownClock} refers to clock {id.Clock} of its own client");
    }

    private uint SkipContent(StructKind kind)
    {
        switch (kind)
        {
            case StructKind.Deleted:
                return _reader.ReadClock(_limits.MaxClock);
            case StructKind.String:
                return _reader.ReadStringLength();
            case StructKind.Any:
                var values = _reader.ReadCount(bytesEach: 1);
                AnyEncoding.SkipAll(ref _reader, values, _limits.MaxDepth);
                return (uint)values;
            case StructKind.Json:
                var texts = _reader.ReadCount(bytesEach: 1);
                for (var i = 0; i < texts; i++)
                    SkipJson(mayBeUndefined: true);
                return (uint)texts;
            case StructKind.Binary:
                _reader.ReadVarBytes();
                return 1;
            case StructKind.Embed:
                SkipJson(mayBeUndefined: false);
                return 1;
            case StructKind.Format:
                _reader.ReadVarString();
                SkipJson(mayBeUndefined: false);
                return 1;
            case StructKind.EmbedAny:
                AnyValue.Skip(ref _reader, _limits.MaxDepth);
                return 1;
            case StructKind.FormatAny:
                _reader.ReadVarString();
                AnyValue.Skip(ref _reader, _limits.MaxDepth);
                return 1;
            case StructKind.Type:
                SkipType();
                return 1;
            default:
                SkipDoc();
                return 1;
        }
    }

    private void SkipJson(bool mayBeUndefined)
    {
        var text = _reader.ReadVarString();
        if (_strict && !(mayBeUndefined && text.SequenceEqual("undefined"u8)))
            JsonText.Check(text, _reader.Position - text.Length, _limits.MaxDepth);
    }

    // 0 array, 1 map, 2 text, 3 XML element (with its name), 4 XML fragment, 5 XML hook (with its name), 6 XML text.
    private void SkipType()
    {
        var at = _reader.Position;
        var type = _reader.ReadVarUint();
        if (type > 6)
            throw Faults.UnknownType(at, type);
        if (type is 3 or 5)
            _reader.ReadVarString();
    }

    // A subdocument: its guid, then its options as an object.
    private void SkipDoc()
    {
        _reader.ReadVarString();
        if (_strict && !AnyValue.IsObject(_reader))
            throw Faults.At(UpdateFaultKind.UnknownValue, _reader.Position, "a subdocument's options are not an object");
        AnyValue.Skip(ref _reader, _limits.MaxDepth);
    }
}
