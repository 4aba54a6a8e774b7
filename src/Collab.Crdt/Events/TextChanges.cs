using System.Text;

namespace Collab.Crdt;

/// <summary>
/// How a transaction has changed a text, as a delta with attributes (yjs <c>YTextEvent.delta</c>). As there, marks that are
/// found to be needless on the way are deleted.
/// </summary>
internal sealed class TextChanges(Transaction transaction, Branch text)
{
    private readonly BlockStore _store = transaction.Store;
    private readonly List<Delta> _delta = [];

    // What holds for text inserted here; what held before the transaction; what text gone over here gets.
    private readonly FormatSet _current = new(), _old = new(), _changes = new();
    private readonly StringBuilder _inserted = new();
    private DeltaKind? _action;
    private int _length;

    public IReadOnlyList<Delta> Compute()
    {
        using var scope = transaction.Doc.Write();
        for (var at = text.Start; at != 0; at = _store[at].Right)
        {
            ref var block = ref _store[at];
            switch (block.Kind)
            {
                case StructKind.Type or StructKind.Embed:
                    VisitEmbed(block);
                    break;
                case StructKind.String:
                    VisitText(block);
                    break;
                case StructKind.Format:
                    VisitMark(scope.Transaction, at, _store.FormatOf(block));
                    break;
            }
        }
        End();
        while (_delta.Count > 0 && _delta[^1] is { Kind: DeltaKind.Retain, Attributes: null })
            _delta.RemoveAt(_delta.Count - 1);
        return _delta;
    }

    private void VisitEmbed(in Block block)
    {
        if (transaction.Adds(block.Id))
        {
            if (transaction.Deletes.Contains(block.Id))
                return;
            End();
            _delta.Add(Delta.Insert(ListEditor.ValueAt(_store, block, 0), InsertedAttributes()));
        }
        else
        {
            Count(block);
        }
    }

    private void VisitText(in Block block)
    {
        if (!transaction.Adds(block.Id))
        {
            Count(block);
        }
        else if (!transaction.Deletes.Contains(block.Id))
        {
            Begin(DeltaKind.Insert);
            _inserted.Append(_store.TextOf(block));
        }
    }

    private void Count(in Block block)
    {
        if (transaction.Deletes.Contains(block.Id))
            Begin(DeltaKind.Delete);
        else if (!block.IsDeleted)
            Begin(DeltaKind.Retain);
        else
            return;
        _length += (int)block.Length;
    }

    private void VisitMark(Transaction cleanup, int at, FormatMark mark)
    {
        ref var block = ref _store[at];
        var (key, value) = (mark.Key, mark.Value);
        if (transaction.Adds(block.Id))
        {
            if (!transaction.Deletes.Contains(block.Id))
                VisitNewMark(cleanup, at, key, value);
        }
        else if (transaction.Deletes.Contains(block.Id))
        {
            _old.Set(key, value);
            var current = _current.ValueOrNull(key);
            if (!FormatSet.ValuesEqual(current, value))
            {
                EndRetain();
                _changes.Set(key, current);
            }
        }
        else if (!block.IsDeleted)
        {
            _old.Set(key, value);
            VisitOldMark(cleanup, at, key, value);
        }
        if (!block.IsDeleted)
        {
            if (_action == DeltaKind.Insert)
                End();
            _current.Apply(mark);
        }
    }

    private void VisitNewMark(Transaction cleanup, int at, string key, in Any value)
    {
        if (FormatSet.ValuesEqual(_current.ValueOrNull(key), value))
        {
            if (value.Kind != AnyKind.Null)
                Deletion.Delete(cleanup, at);
            return;
        }
        EndRetain();
        if (FormatSet.ValuesEqual(value, _old.ValueOrNull(key)))
            _changes.Remove(key);
        else
            _changes.Set(key, value);
    }

    private void VisitOldMark(Transaction cleanup, int at, string key, in Any value)
    {
        if (!_changes.TryGet(key, out var change) || change.IsUndefined)
            return;
        if (FormatSet.ValuesEqual(change, value))
        {
            if (change.Kind != AnyKind.Null)
                Deletion.Delete(cleanup, at);
            return;
        }
        EndRetain();
        if (value.Kind == AnyKind.Null)
            _changes.Remove(key);
        else
            _changes.Set(key, value);
    }

    private void Begin(DeltaKind action)
    {
        if (_action == action)
            return;
        End();
        _action = action;
    }

    private void EndRetain()
    {
        if (_action == DeltaKind.Retain)
            End();
    }

    private void End()
    {
        switch (_action)
        {
            case DeltaKind.Insert when _inserted.Length > 0:
                _delta.Add(Delta.Insert(_inserted.ToString(), InsertedAttributes()));
                break;
            case DeltaKind.Delete when _length > 0:
                _delta.Add(Delta.Delete(_length));
                break;
            case DeltaKind.Retain when _length > 0:
                _delta.Add(Delta.Retain(_length, TextDelta.Attributes(_changes)));
                break;
        }
        _inserted.Clear();
        _length = 0;
        _action = null;
    }

    private OrderedDictionary<string, Any>? InsertedAttributes() =>
        _current.IsEmpty ? null : new OrderedDictionary<string, Any>(_current.AsObject.Where(entry => entry.Value.Kind != AnyKind.Null));
}
