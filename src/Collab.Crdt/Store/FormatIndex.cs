namespace Collab.Crdt;

/// <summary>
/// Finds the attributes that hold at a place of a long text without walking to it: for each key its marks in the order of the
/// text, searched with the help of the text's <see cref="PositionIndex"/>.
/// </summary>
internal sealed class FormatIndex
{
    private readonly BlockStore _store;
    private readonly PositionIndex _positions;
    private readonly Dictionary<string, List<int>> _marks = [];

    public FormatIndex(BlockStore store, Branch branch)
    {
        _store = store;
        _positions = branch.Positions!;
        for (var at = branch.Start; at != 0; at = store[at].Right)
        {
            if (store[at].Kind == StructKind.Format && !store[at].IsDeleted)
                MarksOf(at).Add(at);
        }
    }

    /// <summary>Adds a mark that has its place in the text already.</summary>
    public void Add(int mark)
    {
        var marks = MarksOf(mark);
        marks.Insert(CountUpTo(marks, mark), mark);
    }

    /// <summary>Takes out a mark that was deleted.</summary>
    public void Remove(int mark)
    {
        var marks = MarksOf(mark);
        marks.RemoveAt(CountUpTo(marks, mark) - 1);
    }

    /// <summary>
    /// What holds behind a block. The order of the keys is that in which a walk from the start meets them: a key that has had a
    /// value without a break stands where it got its first.
    /// </summary>
    public FormatSet At(int block)
    {
        var present = new List<(int Since, FormatMark Mark)>();
        foreach (var marks in _marks.Values)
        {
            var last = CountUpTo(marks, block) - 1;
            if (last < 0 || IsEnd(marks[last]))
                continue;
            var first = last;
            while (first > 0 && !IsEnd(marks[first - 1]))
                first--;
            present.Add((marks[first], _store.FormatOf(_store[marks[last]])));
        }
        present.Sort((a, b) => _positions.Compare(a.Since, b.Since));
        var attributes = new FormatSet();
        foreach (var (_, mark) in present)
            attributes.Set(mark.Key, mark.Value);
        return attributes;
    }

    private bool IsEnd(int mark) => _store.FormatOf(_store[mark]).Value.Kind == AnyKind.Null;

    private List<int> MarksOf(int mark)
    {
        var key = _store.FormatOf(_store[mark]).Key;
        if (!_marks.TryGetValue(key, out var marks))
            _marks.Add(key, marks = []);
        return marks;
    }

    /// <summary>How many marks stand before a block, or are it.</summary>
    private int CountUpTo(List<int> marks, int block)
    {
        int low = 0, high = marks.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_positions.Compare(marks[middle], block) <= 0)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}
