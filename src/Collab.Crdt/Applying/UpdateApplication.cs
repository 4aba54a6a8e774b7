namespace Collab.Crdt;

/// <summary>
/// Applies an update that has been checked: struct by struct in the order of yjs' <c>integrateStructs</c>, a struct as soon as
/// all it refers to is there. What refers to something missing is handed to the <see cref="PendingUpdates"/>. Nothing of this
/// can fail, so an update is applied in whole or not at all.
/// </summary>
internal ref struct UpdateApplication
{
    private readonly Transaction _transaction;
    private readonly BlockStore _store;
    private readonly ReadOnlySpan<byte> _update;
    private readonly Span<UpdateSection> _sections;
    private readonly PendingUpdates _pending;
    private Stack<int>? _waiting;

    // The client that was named last; ids come in long runs of the same one.
    private ReadOnlySpan<byte> _recentBytes;
    private int _recentClient;

    private UpdateApplication(Transaction transaction, ReadOnlySpan<byte> update, Span<UpdateSection> sections, PendingUpdates pending)
    {
        _transaction = transaction;
        _store = transaction.Store;
        _update = update;
        _sections = sections;
        _pending = pending;
    }

    /// <summary>Whether the next struct of a section could be applied.</summary>
    private enum Step
    {
        Applied,

        /// <summary>Another client's struct must come first.</summary>
        Waits,

        /// <summary>The client's own clock has not come so far.</summary>
        Gap,
    }

    /// <summary>Applies the structs of an update; its sections are used up. Deletes are not looked at.</summary>
    public static void ApplyStructs(Transaction transaction, ReadOnlySpan<byte> update, Span<UpdateSection> sections, PendingUpdates pending)
    {
        if (sections.Length > 1)
            sections.Sort(static (a, b) => a.ClientId != b.ClientId ? b.ClientId.CompareTo(a.ClientId) : a.Clock.CompareTo(b.Clock));
        var store = transaction.Store;
        foreach (ref var section in sections)
            section.Client = store.Client(section.ClientId);
        var application = new UpdateApplication(transaction, update, sections, pending);
        for (var i = 0; i < sections.Length; i++)
            application.Apply(i);
    }

    private void Apply(int target)
    {
        var current = target;
        while (true)
        {
            ref var section = ref _sections[current];
            if (section.Left > 0)
            {
                var missing = default(BlockId);
                var step = TryApplyNext(ref section, ref missing);
                if (step == Step.Applied)
                {
                    // Whoever waited may be able to go on now.
                    if (_waiting is { Count: > 0 })
                        Resume(ref current);
                    continue;
                }
                if (step == Step.Waits && FindSection(missing.Client) is >= 0 and var needed && needed != current)
                {
                    section.IsWaiting = true;
                    (_waiting ??= new Stack<int>()).Push(current);
                    current = needed;
                    continue;
                }
                SetAside(current, new MissingUnit(_store.Clients[missing.Client].Id, missing.Clock, IsGap: step == Step.Gap));
                return;
            }
            if (_waiting is not { Count: > 0 })
                return;
            Resume(ref current);
        }
    }

    private readonly void Resume(ref int current)
    {
        current = _waiting!.Pop();
        _sections[current].IsWaiting = false;
    }

    /// <summary>The first section of a client that has structs left and does not wait itself.</summary>
    private readonly int FindSection(int client)
    {
        var id = _store.Clients[client].Id;
        int low = 0, high = _sections.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_sections[middle].ClientId > id)
                low = middle + 1;
            else
                high = middle;
        }
        for (; low < _sections.Length && _sections[low].ClientId == id; low++)
        {
            if (_sections[low].Left > 0)
                return _sections[low].IsWaiting ? -1 : low;
        }
        return -1;
    }

    /// <summary>Hands what is left of a section, and of all that wait for it, to the pending updates.</summary>
    private readonly void SetAside(int current, MissingUnit missing)
    {
        _pending.Add(_update, ref _sections[current], missing);
        while (_waiting is { Count: > 0 })
        {
            ref var section = ref _sections[_waiting.Pop()];
            section.IsWaiting = false;
            // It waits for the same: nothing of it can go on before that.
            _pending.Add(_update, ref section, missing);
        }
    }

    private Step TryApplyNext(ref UpdateSection section, ref BlockId missing)
    {
        var reader = new Lib0Reader(_update) { Position = section.Position };
        var info = reader.ReadByte();
        var kind = (StructKind)(info & StructHeader.KindBits);
        if (kind == StructKind.Skip)
        {
            Advance(ref section, reader, reader.ReadClock(UpdateLimits.HighestClock));
            return Step.Applied;
        }
        var state = _store.State(section.Client);
        if (state < section.Clock)
        {
            missing = new BlockId(section.Client, section.Clock - 1);
            return Step.Gap;
        }
        if (kind == StructKind.Gc)
        {
            ApplyGc(ref section, ref reader, state);
            return Step.Applied;
        }

        var origin = (info & StructHeader.HasOrigin) != 0 ? ReadId(ref reader) : BlockId.None;
        if (IsMissing(origin, section.Client, ref missing))
            return Step.Waits;
        var rightOrigin = (info & StructHeader.HasRightOrigin) != 0 ? ReadId(ref reader) : BlockId.None;
        if (IsMissing(rightOrigin, section.Client, ref missing))
            return Step.Waits;
        Branch? parent = null;
        var key = 0;
        if (origin.IsNone && rightOrigin.IsNone)
        {
            if (reader.ReadVarUint() == 1)
            {
                parent = Root(ref reader);
            }
            else
            {
                var parentId = ReadId(ref reader);
                if (IsMissing(parentId, section.Client, ref missing))
                    return Step.Waits;
                ref var item = ref _store[_store.Find(parentId)];
                // What is no type any more, because it was deleted, holds nothing.
                parent = item.Kind == StructKind.Type ? _store.TypeOf(item) : null;
            }
            if ((info & StructHeader.HasKey) != 0)
                key = _store.Key(BlockContent.ReadString(ref reader));
        }
        ApplyItem(ref section, ref reader, kind, state, origin, rightOrigin, parent, key);
        return Step.Applied;
    }

    private readonly void ApplyGc(ref UpdateSection section, ref Lib0Reader reader, uint state)
    {
        var length = reader.ReadClock(UpdateLimits.HighestClock);
        var known = state - section.Clock;
        if (known < length)
        {
            var handle = _store.NewBlock();
            ref var block = ref _store[handle];
            block.Kind = StructKind.Gc;
            block.Flags = BlockFlags.Deleted;
            block.Client = section.Client;
            block.Clock = state;
            block.Length = length - known;
            Integration.Append(_transaction, handle);
        }
        Advance(ref section, reader, length);
    }

    private readonly void ApplyItem(
        ref UpdateSection section, ref Lib0Reader reader, StructKind kind, uint state, BlockId origin, BlockId rightOrigin, Branch? parent, int key)
    {
        var handle = _store.NewBlock();
        ref var block = ref _store[handle];
        block.Client = section.Client;
        block.Clock = section.Clock;
        BlockContent.Read(ref reader, kind, _store, ref block);
        var length = block.Length;
        var known = state - section.Clock;
        if (known >= length)
        {
            _store.Discard(handle);
            Advance(ref section, reader, length);
            return;
        }

        if (known > 0)
        {
            BlockContent.DropFirst(_store, ref block, known);
            origin = new BlockId(section.Client, state - 1);
        }
        var left = origin.IsNone ? 0 : _store.FindEnd(_transaction, origin);
        var right = rightOrigin.IsNone ? 0 : _store.FindStart(_transaction, rightOrigin);
        if ((left != 0 && _store[left].IsGc) || (right != 0 && _store[right].IsGc))
        {
            parent = null;
        }
        else if (left != 0 || right != 0)
        {
            ref var neighbour = ref _store[left != 0 ? left : right];
            parent = _store.ParentOf(neighbour);
            key = neighbour.Key;
        }

        if (parent is null)
        {
            _store.FreeContent(ref block);
            block.Kind = StructKind.Gc;
            block.Flags = BlockFlags.Deleted;
            Integration.Append(_transaction, handle);
        }
        else
        {
            (block.OriginClient, block.OriginClock) = (origin.Client, origin.Clock);
            (block.RightOriginClient, block.RightOriginClock) = (rightOrigin.Client, rightOrigin.Clock);
            block.Left = left;
            block.Right = right;
            block.Parent = parent.Index;
            block.Key = key;
            Integration.Integrate(_transaction, handle);
        }
        Advance(ref section, reader, length);
    }

    private static void Advance(ref UpdateSection section, in Lib0Reader reader, uint length)
    {
        section.Position = reader.Position;
        section.Clock += length;
        section.Left--;
    }

    private readonly bool IsMissing(BlockId id, int ownClient, ref BlockId missing)
    {
        if (id.IsNone || id.Client == ownClient || id.Clock < _store.State(id.Client))
            return false;
        missing = id;
        return true;
    }

    private BlockId ReadId(ref Lib0Reader reader)
    {
        var rest = reader.Bytes[reader.Position..];
        if (_recentBytes.Length > 0 && rest.StartsWith(_recentBytes))
        {
            reader.Position += _recentBytes.Length;
        }
        else
        {
            var start = reader.Position;
            _recentClient = _store.Client(reader.ReadVarUint());
            _recentBytes = _update[start..reader.Position];
        }
        return new BlockId(_recentClient, reader.ReadClock(UpdateLimits.HighestClock));
    }

    private readonly Branch Root(ref Lib0Reader reader) => _store.Root(reader.ReadVarString());
}
