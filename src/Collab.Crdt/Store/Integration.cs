using System.Runtime.InteropServices;

namespace Collab.Crdt;

/// <summary>
/// Puts a block into its list, or among the values of its key, so that every document which has the same blocks has them in
/// the same order (YATA, as in yjs <c>Item.integrate</c>).
/// </summary>
internal static class Integration
{
    /// <summary>
    /// Integrates a block whose client, clock, length, content, origins, neighbours, parent and key are set; the neighbours are
    /// those that the origins name. It becomes visible, or is deleted at once when its type is, or when a later value has its key.
    /// </summary>
    public static void Integrate(Transaction transaction, int handle)
    {
        var store = transaction.Store;
        ref var block = ref store[handle];
        var parent = store.ParentOf(block);

        var left = block.Left;
        if (left != 0 ? store[left].Right != block.Right : block.Right == 0 || store[block.Right].Left != 0)
            left = FindLeft(store, parent, block);

        block.Left = left;
        if (left != 0)
        {
            block.Right = store[left].Right;
            store[left].Right = handle;
        }
        else if (block.Key != 0)
        {
            block.Right = parent.FirstOfKey(block.Key);
            if (block.Right != 0)
                parent.SetFirstOfKey(block.Key, handle);
        }
        else
        {
            block.Right = parent.Start;
            parent.Start = handle;
        }
        if (block.Right != 0)
        {
            store[block.Right].Left = handle;
        }
        else if (block.Key != 0)
        {
            parent.SetLastOfKey(block.Key, handle);
            if (left != 0)
                Deletion.Delete(transaction, left);
        }

        var visible = block.VisibleLength;
        if (block.Key == 0)
        {
            parent.Length += visible;
            parent.Positions?.Insert(left, handle, visible);
        }
        Append(transaction, handle);
        IntegrateContent(transaction, parent, handle, ref block);
        transaction.Change(parent, block.Key);
        if ((parent.Item != 0 && store[parent.Item].IsDeleted) || (block.Key != 0 && block.Right != 0))
            Deletion.Delete(transaction, handle);
    }

    /// <summary>Adds a block that stands in no list, because what it stood in was collected.</summary>
    public static void Append(Transaction transaction, int handle)
    {
        ref var block = ref transaction.Store[handle];
        transaction.WillInsert(block.Client, block.Clock);
        transaction.Store.Clients[block.Client].Append(handle, block.Clock, block.Length);
        if (block.IsGc)
            transaction.Store.NoteDeleted(block);
    }

    private static void IntegrateContent(Transaction transaction, Branch parent, int handle, ref Block block)
    {
        switch (block.Kind)
        {
            case StructKind.Deleted:
                transaction.Deletes.Add(block.Client, block.Clock, block.Length);
                block.Flags |= BlockFlags.Deleted;
                transaction.Store.NoteDeleted(block);
                break;
            case StructKind.Type:
                var type = transaction.Store.TypeOf(block);
                type.Item = handle;
                type.View?.InsertWhatWaits();
                break;
            case StructKind.Format:
                parent.HasMarks = parent.HasFormatting = true;
                if (block.Key == 0)
                    parent.Formats?.Add(handle);
                break;
            case StructKind.Doc:
                transaction.Doc.AddSubDoc(transaction, transaction.Store.Values[block.Content].AsDoc(), handle);
                break;
        }
    }

    /// <summary>
    /// The left neighbour of a block when others were inserted at the same place: walks over them, passing those that belong
    /// before it.
    /// </summary>
    private static int FindLeft(BlockStore store, Branch parent, in Block block)
    {
        var left = block.Left;
        var other = left != 0 ? store[left].Right : block.Key != 0 ? parent.FirstOfKey(block.Key) : parent.Start;
        if (other == 0 || other == block.Right)
            return left;

        var ownId = store.Clients[block.Client].Id;
        // What was passed so far, in order; from 'conflicting' on, what could still belong behind the new block.
        var passed = new PassedBlocks();
        var conflicting = 0;
        for (; other != 0 && other != block.Right; other = store[other].Right)
        {
            passed.Add(other);
            ref var candidate = ref store[other];
            if (candidate.OriginClient == block.OriginClient && (!block.HasOrigin || candidate.OriginClock == block.OriginClock))
            {
                if (store.Clients[candidate.Client].Id < ownId)
                {
                    left = other;
                    conflicting = passed.Count;
                }
                else if (candidate.RightOriginClient == block.RightOriginClient
                    && (!block.HasRightOrigin || candidate.RightOriginClock == block.RightOriginClock))
                {
                    break;
                }
            }
            else if (candidate.HasOrigin && passed.IndexOf(store.Find(candidate.Origin)) is >= 0 and var at)
            {
                if (at < conflicting)
                {
                    left = other;
                    conflicting = passed.Count;
                }
            }
            else
            {
                break;
            }
        }
        store.Spend(passed.Count);
        return left;
    }

    /// <summary>The blocks passed while looking for a place; a few are searched in order, many by a dictionary.</summary>
    private ref struct PassedBlocks
    {
        private const int Few = 16;

        private List<int>? _blocks;
        private Dictionary<int, int>? _places;

        public readonly int Count => _blocks?.Count ?? 0;

        public void Add(int block)
        {
            (_blocks ??= []).Add(block);
            if (_places is not null)
            {
                _places[block] = _blocks.Count - 1;
            }
            else if (_blocks.Count > Few)
            {
                _places = [];
                for (var i = 0; i < _blocks.Count; i++)
                    _places[_blocks[i]] = i;
            }
        }

        public readonly int IndexOf(int block) =>
            _places is not null ? _places.GetValueOrDefault(block, -1) : CollectionsMarshal.AsSpan(_blocks).IndexOf(block);
    }
}
