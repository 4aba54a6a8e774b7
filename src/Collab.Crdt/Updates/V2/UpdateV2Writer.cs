namespace Collab.Crdt;

/// <summary>
/// Writes format v2 in its columns: an update of format v1 or of the dialect, whose structs, sections and deletes keep their order,
/// or what a document holds. Reused from one update to the next, so that a small one costs no more than its bytes.
/// </summary>
internal sealed partial class UpdateV2Writer : IDisposable
{
    private readonly ClockColumnWriter _keyClocks = new(), _leftClocks = new(), _rightClocks = new();
    private readonly NumberColumnWriter _clients = new(), _typeRefs = new(), _lengths = new();
    private readonly ByteColumnWriter _infos = new(), _parentInfos = new();
    private readonly StringColumnWriter _strings = new();
    private readonly Lib0Writer _rest = new(64), _whole = new(64);
    private readonly PooledList<DeletedRange> _deletes = new();
    private uint _keyClock;

    /// <summary>
    /// The bytes of <paramref name="update"/> in format v2. A <paramref name="conversion"/> does as yjs' conversion: the update
    /// must be in format v1 proper, and the flag of a key is dropped where no key follows.
    /// </summary>
    /// <exception cref="InvalidUpdateException">The update is malformed.</exception>
    public byte[] Encode(ReadOnlySpan<byte> update, bool conversion)
    {
        Clear();
        var reader = new UpdateReader(update, dialect: !conversion);
        _rest.WriteVarUint((ulong)reader.SectionsLeft);
        StructHeader header = default;
        while (reader.NextSection())
        {
            _rest.WriteVarUint((ulong)reader.StructsLeft);
            _clients.Write(reader.Client);
            _rest.WriteVarUint(reader.Clock);
            while (reader.NextStruct(ref header))
            {
                var info = conversion ? StructHeader.Canonical(header.Info) : header.Info;
                WriteStruct(update, header, info);
            }
        }
        WriteDeletes(reader.DeleteSet());
        return Assemble();
    }

    /// <summary>Gives the buffers back.</summary>
    public void Dispose()
    {
        _keyClocks.Dispose();
        _clients.Dispose();
        _leftClocks.Dispose();
        _rightClocks.Dispose();
        _infos.Dispose();
        _strings.Dispose();
        _parentInfos.Dispose();
        _typeRefs.Dispose();
        _lengths.Dispose();
        _rest.Dispose();
        _whole.Dispose();
        _deletes.Dispose();
    }

    private void Clear()
    {
        _keyClocks.Clear();
        _clients.Clear();
        _leftClocks.Clear();
        _rightClocks.Clear();
        _infos.Clear();
        _strings.Clear();
        _parentInfos.Clear();
        _typeRefs.Clear();
        _lengths.Clear();
        _rest.Clear();
        _whole.Clear();
        _deletes.Clear();
        _keyClock = 0;
    }

    private byte[] Assemble()
    {
        // The first byte is a flag for features that were never made.
        _whole.WriteByte(0);
        _whole.WriteVarBytes(_keyClocks.Finish());
        _whole.WriteVarBytes(_clients.Finish());
        _whole.WriteVarBytes(_leftClocks.Finish());
        _whole.WriteVarBytes(_rightClocks.Finish());
        _whole.WriteVarBytes(_infos.Finish());
        _whole.WriteVarBytes(_strings.Finish());
        _whole.WriteVarBytes(_parentInfos.Finish());
        _whole.WriteVarBytes(_typeRefs.Finish());
        _whole.WriteVarBytes(_lengths.Finish());
        _whole.WriteBytes(_rest.Written);
        return _whole.ToArray();
    }

    private void WriteStruct(ReadOnlySpan<byte> update, in StructHeader header, byte info)
    {
        _infos.Write(header.Kind switch
        {
            StructKind.EmbedAny => WithKind(info, StructKind.Embed),
            StructKind.FormatAny => WithKind(info, StructKind.Format),
            _ => info,
        });
        switch (header.Kind)
        {
            case StructKind.Gc:
                _lengths.Write(header.Length);
                break;
            case StructKind.Skip:
                _rest.WriteVarUint(header.Length);
                break;
            default:
                WriteNeighbours(update, header);
                WriteContent(update, header);
                break;
        }
    }

    private void WriteNeighbours(ReadOnlySpan<byte> update, in StructHeader header)
    {
        var reader = new Lib0Reader(update) { Position = header.Start + 1 };
        if (header.Has(StructHeader.HasOrigin))
            WriteId(StructId.Read(ref reader), _leftClocks);
        if (header.Has(StructHeader.HasRightOrigin))
            WriteId(StructId.Read(ref reader), _rightClocks);
        if (header.Has(StructHeader.HasOrigin | StructHeader.HasRightOrigin))
            return;

        var isRoot = reader.ReadVarUint() == 1;
        _parentInfos.Write(isRoot ? (byte)1 : (byte)0);
        if (isRoot)
            WriteString(reader.ReadVarBytes());
        else
            WriteId(StructId.Read(ref reader), _leftClocks);
        if (header.Has(StructHeader.HasKey))
            WriteString(reader.ReadVarBytes());
    }

    private void WriteContent(ReadOnlySpan<byte> update, in StructHeader header)
    {
        var reader = new Lib0Reader(update[..header.End]) { Position = header.Content };
        switch (header.Kind)
        {
            case StructKind.Deleted:
                _lengths.Write(header.Length);
                break;
            case StructKind.String:
                _strings.Write(reader.ReadVarBytes(), header.Length);
                break;
            case StructKind.Any:
                _lengths.Write(reader.ReadVarUint());
                WriteRemaining(reader);
                break;
            case StructKind.Json:
                _lengths.Write(reader.ReadVarUint());
                for (var i = 0u; i < header.Length; i++)
                    WriteString(reader.ReadVarBytes());
                break;
            case StructKind.Binary:
                _rest.WriteVarBytes(reader.ReadVarBytes());
                break;
            case StructKind.Embed:
                WriteJsonAsAny(ref reader);
                break;
            case StructKind.Format:
                WriteKey(reader.ReadVarBytes());
                WriteJsonAsAny(ref reader);
                break;
            case StructKind.FormatAny:
                WriteKey(reader.ReadVarBytes());
                WriteRemaining(reader);
                break;
            case StructKind.EmbedAny:
                WriteRemaining(reader);
                break;
            case StructKind.Type:
                var type = reader.ReadVarUint();
                _typeRefs.Write(type);
                if (type is 3 or 5)
                    WriteKey(reader.ReadVarBytes());
                break;
            default:
                WriteString(reader.ReadVarBytes());
                WriteRemaining(reader);
                break;
        }
    }

    private void WriteId(StructId id, ClockColumnWriter clocks)
    {
        _clients.Write(id.Client);
        clocks.Write(id.Clock);
    }

    private void WriteString(ReadOnlySpan<byte> utf8)
    {
        Utf16Length.TryMeasure(utf8, out var length);
        _strings.Write(utf8, length);
    }

    // Yjs never remembers a key: each is written in full, under a number of its own.
    private void WriteKey(ReadOnlySpan<byte> utf8)
    {
        _keyClocks.Write(_keyClock++);
        WriteString(utf8);
    }

    private void WriteJsonAsAny(ref Lib0Reader reader)
    {
        var json = reader.ReadVarBytes();
        AnyEncoding.Write(_rest, AnyJson.Parse(json, reader.Position - json.Length));
    }

    private void WriteRemaining(in Lib0Reader reader) => _rest.WriteBytes(reader.Bytes[reader.Position..]);

    /// <summary>Each client's deletes as distances from the end of the one before, and lengths less one.</summary>
    private void WriteDeletes(DeleteSetReader deletes)
    {
        var ranges = _deletes;
        var inOrder = true;
        while (deletes.Next(out var range))
        {
            // Lengths of nothing and steps back cannot be written in this form. No document has them.
            if (range.Length == 0)
                continue;
            if (ranges.Count > 0 && ranges[ranges.Count - 1] is var last)
                inOrder &= last.Client > range.Client || (last.Client == range.Client && last.NextClock <= range.Clock);
            ranges.Add(range);
        }
        var written = inOrder ? ranges.Span : ranges.Span[..DeleteSets.MergeInPlace(ranges.Span)];

        _rest.WriteVarUint((ulong)DeleteSets.CountClients(written));
        for (int first = 0, next; first < written.Length; first = next)
        {
            next = DeleteSets.EndOfClient(written, first);
            _rest.WriteVarUint(written[first].Client);
            _rest.WriteVarUint((ulong)(next - first));
            var clock = 0ul;
            foreach (ref readonly var range in written[first..next])
            {
                _rest.WriteVarUint(range.Clock - clock);
                _rest.WriteVarUint(range.Length - 1);
                clock = range.NextClock;
            }
        }
    }

    private static byte WithKind(byte info, StructKind kind) => (byte)((info & ~StructHeader.KindBits) | (byte)kind);
}
