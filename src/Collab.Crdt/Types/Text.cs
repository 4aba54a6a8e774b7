namespace Collab.Crdt;

/// <summary>
/// A shared text with attributes (bold, links, …) and embedded values (yjs <c>Y.Text</c>). Indexes and lengths count UTF-16
/// code units, as in C# and JavaScript; an embedded value is one unit.
/// </summary>
public class Text : SharedType
{
    /// <summary>Makes an empty text, to be inserted into a document.</summary>
    public Text()
    {
    }

    /// <summary>Makes a text, to be inserted into a document.</summary>
    /// <param name="text">What it begins with.</param>
    public Text(string text) => Insert(0, text);

    /// <summary>The length in UTF-16 code units.</summary>
    public int Length => (int)(Branch is null ? 0 : Read().Length);

    internal override TypeKind Kind => TypeKind.Text;

    /// <summary>Inserts text.</summary>
    /// <param name="index">Where, in UTF-16 code units, at most <see cref="Length"/>.</param>
    /// <param name="text">What.</param>
    /// <param name="attributes">Its attributes; null for those of the text before it. A value null ends an attribute.</param>
    /// <exception cref="ArgumentOutOfRangeException">The index is past the end.</exception>
    public void Insert(int index, string text, IReadOnlyDictionary<string, Any>? attributes = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        PlainValue.Check(attributes);
        if (text.Length == 0)
            return;
        if (Branch is null)
        {
            InsertLater(index, text, attributes);
            return;
        }
        using var scope = Write();
        CheckIndex(index);
        if (attributes is null && !Branch.HasMarks)
        {
            TextEditor.InsertPlain(scope.Transaction, Branch, (uint)index, text);
            return;
        }
        var at = TextPosition.At(scope.Transaction, Branch, (uint)index);
        TextEditor.InsertText(scope.Transaction, at, text, attributes is null ? at.Attributes.Copy() : new FormatSet(attributes));
    }

    /// <summary>Inserts a value, or a shared type, as one unit.</summary>
    /// <param name="index">Where, in UTF-16 code units, at most <see cref="Length"/>.</param>
    /// <param name="embed">The value, such as an object that describes an image; or a shared type.</param>
    /// <param name="attributes">Its attributes; none when null.</param>
    /// <exception cref="ArgumentOutOfRangeException">The index is past the end.</exception>
    public void InsertEmbed(int index, Any embed, IReadOnlyDictionary<string, Any>? attributes = null)
    {
        PlainValue.Check(embed);
        PlainValue.Check(attributes);
        if (Waits(() => InsertEmbed(index, embed, attributes)))
            return;
        using var scope = Write();
        CheckIndex(index);
        var at = TextPosition.At(scope.Transaction, Branch!, (uint)index);
        TextEditor.InsertEmbed(scope.Transaction, at, embed, new FormatSet(attributes ?? new Dictionary<string, Any>()));
    }

    /// <summary>Deletes text; past the end there is nothing to delete.</summary>
    /// <param name="index">The first unit, in UTF-16 code units.</param>
    /// <param name="length">How many.</param>
    /// <exception cref="ArgumentOutOfRangeException">The index is past the end, or one of the two is negative.</exception>
    public void Delete(int index, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (length == 0)
            return;
        if (Branch is null)
        {
            DeleteLater(index, length);
            return;
        }
        using var scope = Write();
        CheckIndex(index);
        if (!Branch.HasMarks)
            TextEditor.DeletePlain(scope.Transaction, Branch, (uint)index, (uint)length);
        else
            TextEditor.Delete(scope.Transaction, TextPosition.At(scope.Transaction, Branch!, (uint)index), (uint)length);
    }

    /// <summary>Gives a range attributes. Past the end it adds line breaks, as yjs does.</summary>
    /// <param name="index">The first unit, in UTF-16 code units.</param>
    /// <param name="length">How many.</param>
    /// <param name="attributes">The attributes; the value null takes one away.</param>
    /// <exception cref="ArgumentOutOfRangeException">The index is past the end, or one of the two is negative.</exception>
    public void Format(int index, int length, IReadOnlyDictionary<string, Any> attributes)
    {
        ArgumentNullException.ThrowIfNull(attributes);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        PlainValue.Check(attributes);
        if (length == 0 || Waits(() => Format(index, length, attributes)))
            return;
        using var scope = Write();
        CheckIndex(index);
        var at = TextPosition.At(scope.Transaction, Branch!, (uint)index);
        if (at.Right != 0)
            TextEditor.Format(scope.Transaction, at, (uint)length, new FormatSet(attributes));
    }

    /// <summary>Applies a delta: what to keep, insert and delete from the start on.</summary>
    /// <param name="delta">The operations in order.</param>
    /// <param name="sanitize">False to drop a line break at the very end, which some editors add.</param>
    public void ApplyDelta(IEnumerable<Delta> delta, bool sanitize = true)
    {
        ArgumentNullException.ThrowIfNull(delta);
        var operations = delta.ToArray();
        foreach (var operation in operations)
        {
            PlainValue.Check(operation.Value);
            PlainValue.Check(operation.Attributes);
        }
        if (Waits(() => ApplyDelta(operations, sanitize)))
            return;
        using var scope = Write();
        var at = TextPosition.Start(Branch!);
        for (var i = 0; i < operations.Length; i++)
        {
            var operation = operations[i];
            var attributes = new FormatSet(operation.Attributes ?? new Dictionary<string, Any>());
            if (operation.Kind == DeltaKind.Retain)
            {
                TextEditor.Format(scope.Transaction, at, (uint)operation.Length, attributes);
            }
            else if (operation.Kind == DeltaKind.Delete)
            {
                TextEditor.Delete(scope.Transaction, at, (uint)operation.Length);
            }
            else if (operation.Value.TryGetString(out var text))
            {
                if (!sanitize && i == operations.Length - 1 && at.Right == 0 && text.EndsWith('\n'))
                    text = text[..^1];
                if (text.Length > 0)
                    TextEditor.InsertText(scope.Transaction, at, text, attributes);
            }
            else
            {
                TextEditor.InsertEmbed(scope.Transaction, at, operation.Value, attributes);
            }
        }
    }

    /// <summary>The text as a list of insertions: runs of text with the same attributes, and embedded values.</summary>
    public IReadOnlyList<Delta> ToDelta() => TextDelta.Of(Read());

    /// <summary>
    /// The text as it was at a snapshot. Given an earlier one too, it holds what has been removed in between as well, and runs
    /// that were added or removed have an attribute <c>ychange</c>, as in yjs.
    /// </summary>
    /// <param name="snapshot">The state to show; null for the present.</param>
    /// <param name="previous">The state to compare with; null for none.</param>
    /// <param name="attribution">
    /// Gives the value of <c>ychange</c>; when null that is an object with the <c>type</c>, which is <c>added</c> or
    /// <c>removed</c>. Runs of one client that follow one another are one when the value has that member and the client id as <c>user</c>.
    /// </param>
    public IReadOnlyList<Delta> ToDelta(Snapshot? snapshot, Snapshot? previous = null, Func<TextChange, Any>? attribution = null) =>
        SnapshotContent.DeltaOf(Read(), snapshot, previous, attribution);

    /// <summary>The text alone, without attributes and embedded values.</summary>
    public override string ToString()
    {
        var branch = Read();
        return string.Create((int)TextUnits(branch), branch, static (target, branch) =>
        {
            var store = branch.Doc.Store;
            for (var at = branch.Start; at != 0; at = store[at].Right)
            {
                ref var block = ref store[at];
                if (block.IsDeleted || block.Kind != StructKind.String)
                    continue;
                store.CopyText(block, target);
                target = target[(int)block.Length..];
            }
        });
    }

    /// <summary>The text alone, as a string.</summary>
    public override Any ToJson() => ToString();

    // In methods of their own, so that an edit of a text in a document makes no closure.
    private void InsertLater(int index, string text, IReadOnlyDictionary<string, Any>? attributes) => Waits(() => Insert(index, text, attributes));

    private void DeleteLater(int index, int length) => Waits(() => Delete(index, length));

    private static uint TextUnits(Branch branch)
    {
        var store = branch.Doc.Store;
        var units = 0u;
        for (var at = branch.Start; at != 0; at = store[at].Right)
        {
            ref var block = ref store[at];
            if (!block.IsDeleted && block.Kind == StructKind.String)
                units += block.Length;
        }
        return units;
    }

    private void CheckIndex(int index)
    {
        if ((uint)index > Branch!.Length)
            throw new ArgumentOutOfRangeException(nameof(index), $"The index is {index}, the length {Branch.Length}.");
    }
}
