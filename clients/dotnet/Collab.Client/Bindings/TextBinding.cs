using System.Text;
using Collab.Crdt;

namespace Collab.Client;

/// <summary>
/// Binds a shared text to a text box, both ways: what the user types becomes the smallest edit that says it, and what others type appears
/// while his caret and selection stay where they are in the text. Formatting is kept and not shown; embedded objects show as U+FFFC.
/// </summary>
/// <remarks>
/// Several changes that a box tells of as one become one edit, from the first to the last of them.
/// <para>
/// For use on the box's thread, which is to be the thread of the connection's handlers. Its transactions have the binding as their origin:
/// give it to an <see cref="UndoManager"/> as a tracked origin to undo what this user typed, and nothing else.
/// </para>
/// </remarks>
public sealed class TextBinding : IDisposable
{
    private const char Embedded = '\uFFFC';

    private readonly Text _text;
    private readonly ITextBox _box;
    private readonly IDisposable _observation;
    // What text and box both are, or were before the user typed what is not picked up yet.
    private string _shown;
    private bool _isWriting;

    /// <summary>Shows the text in the box; what was in there before is gone.</summary>
    /// <param name="text">The text; it must be in a document.</param>
    /// <param name="box">The box.</param>
    public TextBinding(Text text, ITextBox box)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(box);
        (_text, _box) = (text, box);
        _shown = Read(text);
        Write(_shown, 0, 0);
        _observation = text.Observe(OnTextChanged);
        box.TextChanged += OnBoxChanged;
    }

    /// <summary>Ends the binding; box and text stay as they are.</summary>
    public void Dispose()
    {
        _box.TextChanged -= OnBoxChanged;
        _observation.Dispose();
    }

    private void OnBoxChanged(object? sender, EventArgs e)
    {
        if (!_isWriting && PickUp() is { } edit)
            Apply(edit.Start, [new TextRange(edit.Start, edit.Deleted)], edit.Inserted);
    }

    // What the user has changed since text and box were the same.
    private TextEdit? PickUp()
    {
        var box = _box.Text;
        var now = FromBox(box);
        if (now == _shown)
            return null;
        var edit = TextEdit.Between(_shown, now, PlaceInText(box, _box.SelectionStart));
        _shown = now;
        return edit;
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

    private void OnTextChanged(TypeEvent change)
    {
        if (ReferenceEquals(change.Transaction.Origin, this))
            return;

        // The box may hold what its event has not told yet: made of the same text as the others' change, and told of it now.
        var typed = PickUp();
        var others = new TextShift(change.Delta);
        var start = _box.SelectionStart;
        var end = start + _box.SelectionLength;
        (start, end) = (PlaceInText(_box.Text, start), PlaceInText(_box.Text, end));
        var isSelection = end > start;
        var edit = typed ?? default;
        (start, end) = (others.MoveBeside(edit, start, isSelection), others.MoveBeside(edit, end, isAfterInserted: false));
        if (typed is not null)
            Apply(others.Place(edit.Start), others.Parts(edit.Start, edit.Deleted), edit.Inserted);
        _shown = Read(_text);
        Write(_shown, start, end);
    }

    private void Write(string text, int start, int end)
    {
        var inBox = ToBox(text);
        _isWriting = true;
        try
        {
            if (_box.Text != inBox)
                _box.Text = inBox;
            var (from, to) = (PlaceInBox(text, start), PlaceInBox(text, end));
            _box.SelectionStart = from;
            _box.SelectionLength = Math.Max(0, to - from);
        }
        finally
        {
            _isWriting = false;
        }
    }

    private static string Read(Text text)
    {
        var read = new StringBuilder(text.Length);
        foreach (var part in text.ToDelta())
        {
            if (part.Value.TryGetString(out var piece))
                read.Append(piece);
            else
                read.Append(Embedded);
        }
        return read.ToString();
    }

    private string FromBox(string box) => _box.NewLine == "\n" ? box : box.Replace(_box.NewLine, "\n", StringComparison.Ordinal);

    private string ToBox(string text) => _box.NewLine == "\n" ? text : text.Replace("\n", _box.NewLine, StringComparison.Ordinal);

    private int PlaceInText(string box, int place) => FromBox(box[..Math.Clamp(place, 0, box.Length)]).Length;

    private int PlaceInBox(string text, int place) => ToBox(text[..Math.Clamp(place, 0, text.Length)]).Length;
}
