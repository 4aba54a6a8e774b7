using System.Text;

namespace Collab.Crdt;

/// <summary>
/// Edits a text (yjs <c>insertText</c>, <c>formatText</c>, <c>deleteText</c>): marks are put around what is inserted or
/// formatted so that nothing else changes, and as few as possible.
/// </summary>
internal static class TextEditor
{
    /// <summary>Inserts text with the attributes given and no others.</summary>
    public static void InsertText(Transaction transaction, TextPosition at, ReadOnlySpan<char> text, FormatSet attributes)
    {
        var negated = BeginInsert(transaction, at, attributes);
        InsertString(transaction, at, text);
        EndInsert(transaction, at, negated);
    }

    /// <summary>Inserts a plain value or a shared type as one unit.</summary>
    public static void InsertEmbed(Transaction transaction, TextPosition at, in Any embed, FormatSet attributes)
    {
        var negated = BeginInsert(transaction, at, attributes);
        if (embed.Kind == AnyKind.Type)
            at.Insert(transaction, StructKind.Type, embed.AsType<SharedType>().Attach(transaction.Store).Index, 1);
        else
            at.Insert(transaction, StructKind.Embed, transaction.Store.Values.Append(embed), 1);
        EndInsert(transaction, at, negated);
    }

    /// <summary>Inserts text where nothing has attributes; what is deleted here stays on the left, as in yjs.</summary>
    public static void InsertPlain(Transaction transaction, Branch branch, uint index, ReadOnlySpan<char> text)
    {
        var store = transaction.Store;
        var left = ListEditor.LeftOf(transaction, branch, index);
        var right = left == 0 ? branch.Start : store[left].Right;
        while (right != 0 && store[right].IsDeleted)
            (left, right) = (right, store[right].Right);
        var content = Store(store, text, out var wide);
        ListEditor.InsertBlock(transaction, branch, left, right, StructKind.String, content, (uint)text.Length, wide: wide);
    }

    /// <summary>Gives the next <paramref name="length"/> units attributes; past the end it writes line breaks.</summary>
    public static void Format(Transaction transaction, TextPosition at, uint length, FormatSet attributes)
    {
        var store = transaction.Store;
        SkipWhatSaysTheSame(store, at, attributes);
        var negated = InsertAttributes(transaction, at, attributes);
        while (at.Right != 0
            && (length > 0 || (!negated.IsEmpty && (store[at.Right].IsDeleted || store[at.Right].Kind == StructKind.Format))))
        {
            ref var block = ref store[at.Right];
            if (!block.IsDeleted)
            {
                if (block.Kind == StructKind.Format)
                {
                    if (!FormatMark(transaction, at, store.FormatOf(block), length, attributes, negated))
                        break;
                }
                else
                {
                    if (length < block.Length)
                        store.Split(transaction, at.Right, length);
                    length -= block.Length;
                }
            }
            at.Forward();
        }
        if (length > 0)
            InsertString(transaction, at, new string('\n', (int)length));
        InsertNegated(transaction, at, negated);
    }

    /// <summary>Deletes the next <paramref name="length"/> units, or as many as there are, and the marks that this makes needless.</summary>
    public static void Delete(Transaction transaction, TextPosition at, uint length)
    {
        var store = transaction.Store;
        var start = at.Right;
        var startAttributes = at.Branch.HasMarks ? at.Attributes.Copy() : null;
        while (length > 0 && at.Right != 0)
        {
            ref var block = ref store[at.Right];
            if (!block.IsDeleted && block.Kind is StructKind.Type or StructKind.Embed or StructKind.String)
            {
                if (length < block.Length)
                    store.Split(transaction, at.Right, length);
                length -= block.Length;
                Deletion.Delete(transaction, at.Right);
            }
            at.Forward();
        }
        // Without marks there is nothing to clean up.
        if (start != 0 && startAttributes is not null)
            TextCleanup.CleanGap(transaction, start, at.Right, startAttributes, at.Attributes);
    }

    /// <summary>The same where nothing has attributes.</summary>
    public static void DeletePlain(Transaction transaction, Branch branch, uint index, uint length)
    {
        var store = transaction.Store;
        var left = ListEditor.LeftOf(transaction, branch, index);
        for (var at = left == 0 ? branch.Start : store[left].Right; length > 0 && at != 0; at = store[at].Right)
        {
            ref var block = ref store[at];
            if (block.IsDeleted || block.Kind is not (StructKind.Type or StructKind.Embed or StructKind.String))
                continue;
            if (length < block.Length)
                store.Split(transaction, at, length);
            length -= block.Length;
            Deletion.Delete(transaction, at);
        }
    }

    private static FormatSet BeginInsert(Transaction transaction, TextPosition at, FormatSet attributes)
    {
        foreach (var (key, _) in at.Attributes.InOrderOfAdding)
        {
            if (!attributes.TryGet(key, out var value) || value.IsUndefined)
                attributes.Set(key, Any.Null);
        }
        SkipWhatSaysTheSame(transaction.Store, at, attributes);
        return InsertAttributes(transaction, at, attributes);
    }

    private static void EndInsert(Transaction transaction, TextPosition at, FormatSet negated) => InsertNegated(transaction, at, negated);

    private static void InsertString(Transaction transaction, TextPosition at, ReadOnlySpan<char> text)
    {
        var content = Store(transaction.Store, text, out var wide);
        at.Insert(transaction, StructKind.String, content, (uint)text.Length, wide);
    }

    private static int Store(BlockStore store, ReadOnlySpan<char> text, out bool wide)
    {
        wide = !Ascii.IsValid(text);
        if (wide)
            return store.Wide.Append(text);
        var offset = store.Narrow.Used;
        Ascii.FromUtf16(text, store.Narrow.Extend(text.Length), out _);
        return offset;
    }

    /// <summary>What formatting does with a mark that it comes upon; false when it must end before it.</summary>
    private static bool FormatMark(
        Transaction transaction, TextPosition at, FormatMark mark, uint length, FormatSet attributes, FormatSet negated)
    {
        if (!attributes.TryGet(mark.Key, out var wanted) || wanted.IsUndefined)
        {
            at.Attributes.Set(mark.Key, mark.Value);
            return true;
        }
        if (FormatSet.ValuesEqual(wanted, mark.Value))
        {
            negated.Remove(mark.Key);
        }
        else
        {
            if (length == 0)
                return false;
            negated.Set(mark.Key, mark.Value);
        }
        Deletion.Delete(transaction, at.Right);
        return true;
    }

    /// <summary>Goes past what is deleted and past marks that already say what is wanted (yjs <c>minimizeAttributeChanges</c>).</summary>
    private static void SkipWhatSaysTheSame(BlockStore store, TextPosition at, FormatSet attributes)
    {
        while (at.Right != 0)
        {
            ref var block = ref store[at.Right];
            if (!block.IsDeleted
                && (block.Kind != StructKind.Format
                    || store.FormatOf(block) is var mark && !FormatSet.ValuesEqual(attributes.ValueOrNull(mark.Key), mark.Value)))
            {
                return;
            }
            at.Forward();
        }
    }

    /// <summary>Puts marks for what is wanted and does not hold here.</summary>
    /// <returns>What held before, to be restored behind.</returns>
    private static FormatSet InsertAttributes(Transaction transaction, TextPosition at, FormatSet attributes)
    {
        var negated = new FormatSet();
        foreach (var (key, value) in attributes.AsObject)
        {
            var current = at.Attributes.ValueOrNull(key);
            if (FormatSet.ValuesEqual(current, value))
                continue;
            negated.Set(key, current);
            at.InsertFormat(transaction, key, value);
        }
        return negated;
    }

    /// <summary>Restores behind an insertion what held before it, unless marks that follow do so.</summary>
    private static void InsertNegated(Transaction transaction, TextPosition at, FormatSet negated)
    {
        var store = transaction.Store;
        while (at.Right != 0)
        {
            ref var block = ref store[at.Right];
            if (!block.IsDeleted)
            {
                if (block.Kind != StructKind.Format)
                    break;
                var mark = store.FormatOf(block);
                // A key that is not to be restored has no value, which no mark's value equals.
                if (!negated.TryGet(mark.Key, out var value) || !FormatSet.ValuesEqual(value, mark.Value))
                    break;
                negated.Remove(mark.Key);
            }
            at.Forward();
        }
        foreach (var (key, value) in negated.InOrderOfAdding.ToArray())
            at.InsertFormat(transaction, key, value);
    }
}
