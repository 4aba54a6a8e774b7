namespace Collab.Crdt;

/// <summary>A place between two blocks of a text, with the attributes that hold there (yjs <c>ItemTextListPosition</c>).</summary>
internal sealed class TextPosition(Branch branch, int left, int right, FormatSet attributes)
{
    private readonly BlockStore _store = branch.Doc.Store;

    public Branch Branch { get; } = branch;

    public int Left { get; private set; } = left;

    public int Right { get; private set; } = right;

    public FormatSet Attributes { get; } = attributes;

    /// <summary>The place before everything.</summary>
    public static TextPosition Start(Branch branch) => new(branch, 0, branch.Start, new FormatSet());

    /// <summary>The place after <paramref name="index"/> visible units, or the end when there are fewer.</summary>
    public static TextPosition At(Transaction transaction, Branch branch, uint index)
    {
        var store = transaction.Store;
        var left = ListEditor.LeftOf(transaction, branch, Math.Min(index, branch.Length));
        if (index > branch.Length)
            left = LastOf(store, branch, left);
        var right = left == 0 ? branch.Start : store[left].Right;
        return new TextPosition(branch, left, right, FormatsAt(store, branch, left));
    }

    /// <summary>Steps over the block on the right.</summary>
    public void Forward()
    {
        ref var block = ref _store[Right];
        if (block.Kind == StructKind.Format && !block.IsDeleted)
            Attributes.Apply(_store.FormatOf(block));
        Left = Right;
        Right = block.Right;
    }

    /// <summary>Puts a block of this replica here and steps over it.</summary>
    public void Insert(Transaction transaction, StructKind kind, int content, uint length, bool wide = false)
    {
        Right = ListEditor.InsertBlock(transaction, Branch, Left, Right, kind, content, length, wide: wide);
        Forward();
    }

    /// <summary>Puts a mark here and steps over it.</summary>
    public void InsertFormat(Transaction transaction, string key, in Any value) =>
        Insert(transaction, StructKind.Format, _store.Values.Append(Any.Of(_store.Format(key, value))), 1);

    private static int LastOf(BlockStore store, Branch branch, int from)
    {
        var last = from == 0 ? branch.Start : from;
        while (last != 0 && store[last].Right != 0)
            last = store[last].Right;
        return last;
    }

    private static FormatSet FormatsAt(BlockStore store, Branch branch, int left)
    {
        if (branch.HasMarks && left != 0 && branch.Positions is not null)
            return (branch.Formats ??= new FormatIndex(store, branch)).At(left);
        var attributes = new FormatSet();
        if (!branch.HasMarks || left == 0)
            return attributes;
        var end = store[left].Right;
        for (var at = branch.Start; at != end; at = store[at].Right)
        {
            ref var block = ref store[at];
            if (block.Kind == StructKind.Format && !block.IsDeleted)
                attributes.Apply(store.FormatOf(block));
        }
        return attributes;
    }
}
