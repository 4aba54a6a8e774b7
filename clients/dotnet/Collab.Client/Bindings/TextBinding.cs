using System.Text;
using Collab.Crdt;

namespace Collab.Client;

/// <summary>Binds a shared text to a text box. Formatting is kept and not shown; embedded objects show as U+FFFC.</summary>
/// <inheritdoc/>
public sealed class TextBinding : TextBoxBinding
{
    private const char Embedded = '\uFFFC';

    private readonly Text _text;
    private readonly IDisposable _observation;

    /// <summary>Shows the text in the box; what was in there before is gone.</summary>
    /// <param name="text">The text; it must be in a document.</param>
    /// <param name="box">The box.</param>
    public TextBinding(Text text, ITextBox box)
        : base(box)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(box);
        _text = text;
        _observation = text.Observe(OnTextChanged);
        Begin();
    }

    private protected override string Read()
    {
        var read = new StringBuilder(_text.Length);
        foreach (var part in _text.ToDelta())
        {
            if (part.Value.TryGetString(out var piece))
                read.Append(piece);
            else
                read.Append(Embedded);
        }
        return read.ToString();
    }

    private protected override void Apply(TextEdit edit) => Apply(edit.Start, [new TextRange(edit.Start, edit.Deleted)], edit.Inserted);

    private protected override int? Find(StickyIndex index) =>
        index.Resolve(_text.Doc!) is { } place && place.Type == _text ? place.Index : null;

    private protected override StickyIndex Stick(int place) => StickyIndex.Create(_text, Math.Min(place, _text.Length));

    private protected override void StopObserving() => _observation.Dispose();

    private void OnTextChanged(TypeEvent change)
    {
        if (ReferenceEquals(change.Transaction.Origin, this))
            return;

        // The box may hold what its event has not told yet: made of the same text as the others' change, and told of it now.
        var typed = PickUp();
        var others = new TextShift(change.Delta);
        var (start, end) = Selection();
        var isSelection = end > start;
        var edit = typed ?? default;
        (start, end) = (others.MoveBeside(edit, start, isSelection), others.MoveBeside(edit, end, isAfterInserted: false));
        if (typed is not null)
            Apply(others.Place(edit.Start), others.Parts(edit.Start, edit.Deleted), edit.Inserted);
        Write(Read(), start, end);
    }

    // What is inserted comes before what is deleted, which is in order.
    private void Apply(int start, IReadOnlyList<TextRange> deleted, string inserted) => _text.Doc!.Transact(
        _ =>
        {
            foreach (var range in deleted.Reverse())
            {
                if (range.Length > 0)
                    _text.Delete(range.Start, range.Length);
            }
            if (inserted.Length > 0)
                _text.Insert(start, inserted);
        },
        this);
}
