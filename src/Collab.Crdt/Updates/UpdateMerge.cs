namespace Collab.Crdt;

/// <summary>
/// Merges updates into one. All structs are read once; then, client by client from the highest id down, the runs of that
/// client are merged by clock: what is already written is skipped or cut, and gaps become Skip structs.
/// The bytes are those of Yjs' <c>mergeUpdates</c>. Unlike it, sections may come in any order.
/// </summary>
internal sealed class UpdateMerge : IDisposable
{
    private readonly IReadOnlyList<ReadOnlyMemory<byte>> _updates;
    private readonly bool _join, _dialect;
    private readonly PooledList<StructHeader> _structs = new();
    private readonly PooledList<Run> _runs = new();
    private readonly PooledList<DeletedRange> _deletes = new();
    private readonly PooledList<Piece> _pieces = new();
    private readonly RunQueue _queue = new();
    private readonly Lib0Writer _writer;

    // For each update, when it was last used, counted in steps of the merge.
    private readonly int[] _lastUsed;
    private int _step;

    private UpdateMerge(IReadOnlyList<ReadOnlyMemory<byte>> updates, bool join, bool dialect)
    {
        _updates = updates;
        _join = join;
        _dialect = dialect;
        _lastUsed = new int[updates.Count];
        _writer = new Lib0Writer(1024);
    }

    /// <summary>Merges <paramref name="updates"/>; with <paramref name="join"/>, neighbours that are one run are written as one.</summary>
    public static byte[] Merge(IReadOnlyList<ReadOnlyMemory<byte>> updates, bool join, bool dialect = false)
    {
        using var merge = new UpdateMerge(updates, join, dialect);
        for (var i = 0; i < updates.Count; i++)
            merge.Read(i);
        merge.Write();
        return merge._writer.ToArray();
    }

    public void Dispose()
    {
        _structs.Dispose();
        _runs.Dispose();
        _deletes.Dispose();
        _pieces.Dispose();
        _queue.Dispose();
        _writer.Dispose();
    }

    private void Read(int update)
    {
        var reader = new UpdateReader(_updates[update].Span, dialect: _dialect);
        StructHeader header = default;
        while (reader.NextSection())
        {
            var first = _structs.Count;
            while (reader.NextStruct(ref header))
            {
                if (header.Kind != StructKind.Skip)
                    _structs.Add(header);
            }
            if (_structs.Count > first)
                _runs.Add(new Run { Client = reader.Client, Update = update, Next = first, End = _structs.Count });
        }
        var deletes = reader.DeleteSet();
        while (deletes.Next(out var range))
            _deletes.Add(range);
    }

    private void Write()
    {
        var runs = _runs.Span;
        runs.Sort(static (a, b) => a.Client != b.Client ? b.Client.CompareTo(a.Client) : a.Next.CompareTo(b.Next));

        var clients = 0;
        for (var i = 0; i < runs.Length; i++)
            clients += i == 0 || runs[i].Client != runs[i - 1].Client ? 1 : 0;
        _writer.WriteVarUint((ulong)clients);

        for (int first = 0, next; first < runs.Length; first = next)
        {
            next = first + 1;
            while (next < runs.Length && runs[next].Client == runs[first].Client)
                next++;
            Plan(first, next);
            WriteSection(runs[first].Client);
        }
        DeleteSets.WriteMerged(_writer, _deletes.Span);
    }

    /// <summary>Plans the section of one client, whose runs are those from <paramref name="first"/> up to <paramref name="end"/>.</summary>
    private void Plan(int first, int end)
    {
        _pieces.Clear();
        for (var i = first; i < end; i++)
            _queue.Add(i, _structs[_runs[i].Next].Clock, _lastUsed[_runs[i].Update]);

        ulong written = 0;
        while (_queue.Count > 0)
        {
            ref var run = ref _runs[_queue.First];
            Take(ref run, ref written);
            _lastUsed[run.Update] = ++_step;
            if (run.Next == run.End)
                _queue.RemoveFirst();
            else
                _queue.ReplaceFirst(_structs[run.Next].Clock, _step);
        }
    }

    /// <summary>
    /// Takes from a run what is new after the clock <paramref name="written"/>: one struct, which may be cut or come after a
    /// gap, and all that follow it without a gap.
    /// </summary>
    private void Take(ref Run run, ref ulong written)
    {
        if (_pieces.Count > 0)
        {
            var from = run.Next;
            while (run.Next < run.End && _structs[run.Next].NextClock <= written)
                run.Next++;
            if (run.Next == run.End)
                return;

            ref var next = ref _structs[run.Next];
            if (next.Clock > written)
            {
                // Having skipped something, another run may now come first and fill the gap.
                if (run.Next != from)
                    return;
                Add(new Piece { Kind = PieceKind.Skip, Clock = (uint)written, Length = (uint)(next.Clock - written) });
                written = next.Clock;
            }
            else
            {
                var overlap = (uint)(written - next.Clock);
                ref var last = ref _pieces[_pieces.Count - 1];
                written = next.NextClock;
                if (last.Kind == PieceKind.Gc && next.Kind == StructKind.Gc)
                {
                    // Where runs change, Yjs makes one of two collected ones. It looks at this struct again, and so at the next.
                    last.Length += next.Length - overlap;
                    return;
                }
                Add(run, run.Next, overlap);
                run.Next++;
            }
        }
        else
        {
            written = _structs[run.Next].Clock;
        }

        for (; run.Next < run.End && _structs[run.Next].Clock == written; run.Next++)
        {
            Add(run, run.Next, offset: 0);
            written = _structs[run.Next].NextClock;
        }
    }

    private void Add(in Run run, int index, uint offset)
    {
        ref var header = ref _structs[index];
        Add(new Piece
        {
            Kind = header.Kind == StructKind.Gc ? PieceKind.Gc : offset > 0 ? PieceKind.Cut : PieceKind.Copy,
            Update = run.Update,
            Struct = index,
            Clock = header.Clock + offset,
            Length = header.Length - offset,
            Offset = offset,
        });
    }

    private void Add(Piece piece)
    {
        if (_join && _pieces.Count > 0)
            piece.JoinsPrevious = Joins(_pieces[_pieces.Count - 1], piece);
        _pieces.Add(piece);
    }

    /// <summary>
    /// True when two neighbouring pieces are one run: the later was inserted right of the last unit of the earlier, both left
    /// of the same, and their content can stand in one struct. A document that splits the joined run at any unit gets
    /// exactly the two back. Map entries stay apart, because the later one deletes the earlier when it arrives.
    /// </summary>
    private bool Joins(in Piece earlier, in Piece later)
    {
        if (earlier.Kind == PieceKind.Gc || later.Kind == PieceKind.Gc)
            return earlier.Kind == later.Kind;
        if (earlier.Kind == PieceKind.Skip || later.Kind == PieceKind.Skip || earlier.Length == 0 || later.Length == 0)
            return false;

        ref var left = ref _structs[earlier.Struct];
        ref var right = ref _structs[later.Struct];
        if (left.Kind != right.Kind || left.Kind is not (StructKind.String or StructKind.Any or StructKind.Json or StructKind.Deleted))
            return false;
        if (left.Has(StructHeader.HasKey) || right.Has(StructHeader.HasKey))
            return false;
        var rightUpdate = _updates[later.Update].Span;
        if (later.Kind != PieceKind.Cut)
        {
            var last = new StructId(_runs[_queue.First].Client, later.Clock - 1);
            if (!right.Has(StructHeader.HasOrigin) || right.Origin(rightUpdate) != last)
                return false;
        }
        return left.RightOrigin(_updates[earlier.Update].Span).SequenceEqual(right.RightOrigin(rightUpdate));
    }

    private void WriteSection(ulong client)
    {
        var pieces = _pieces.Span;
        var count = 0;
        foreach (ref readonly var piece in pieces)
            count += piece.JoinsPrevious ? 0 : 1;
        _writer.WriteVarUint((ulong)count);
        _writer.WriteVarUint(client);
        _writer.WriteVarUint(pieces[0].Clock);

        for (int first = 0, next; first < pieces.Length; first = next)
        {
            next = first + 1;
            ref readonly var piece = ref pieces[first];
            if (next < pieces.Length && pieces[next].JoinsPrevious)
            {
                while (next < pieces.Length && pieces[next].JoinsPrevious)
                    next++;
                StructWriter.WriteJoined(_writer, _updates, client, pieces[first..next], _structs.Span);
            }
            else if (piece.Kind == PieceKind.Copy)
            {
                while (next < pieces.Length && Follows(pieces[next - 1], pieces[next])
                    && !(next + 1 < pieces.Length && pieces[next + 1].JoinsPrevious))
                {
                    next++;
                }
                Copy(_updates[piece.Update].Span, _structs[piece.Struct], _structs[pieces[next - 1].Struct].End);
            }
            else if (piece.Kind == PieceKind.Cut)
            {
                StructWriter.WriteCut(_writer, _updates[piece.Update].Span, _structs[piece.Struct], client, piece.Offset);
            }
            else if (piece.Kind == PieceKind.Gc)
            {
                StructWriter.WriteGc(_writer, piece.Length);
            }
            else
            {
                StructWriter.WriteSkip(_writer, piece.Length);
            }
        }
    }

    /// <summary>True when <paramref name="next"/> is copied from the bytes right behind <paramref name="piece"/>.</summary>
    private bool Follows(in Piece piece, in Piece next)
    {
        if (next.Kind != PieceKind.Copy || next.JoinsPrevious || next.Update != piece.Update)
            return false;
        ref var header = ref _structs[next.Struct];
        return header.Start == _structs[piece.Struct].End && InfoToWrite(header) == header.Info;
    }

    private void Copy(ReadOnlySpan<byte> update, in StructHeader first, int end)
    {
        _writer.WriteByte(InfoToWrite(first));
        _writer.WriteBytes(update[(first.Start + 1)..end]);
    }

    // Compacting keeps the flag of a key beside origins: it tells the next compaction which structs are map entries.
    private byte InfoToWrite(in StructHeader header) => _join ? header.Info : StructHeader.Canonical(header.Info);
}
