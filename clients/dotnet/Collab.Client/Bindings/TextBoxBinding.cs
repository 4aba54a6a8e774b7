using Collab.Crdt;

namespace Collab.Client;

/// <summary>
/// What binds something shared to a text box, both ways: what the user types becomes the smallest edit that says it, and what others type
/// appears while his caret and selection stay where they are in the text.
/// </summary>
/// <remarks>
/// For use on the box's thread, which is to be the thread of the connection's handlers. Several changes that a box tells of as one become
/// one edit, from the first to the last of them. Transactions have the binding as their origin: give it to an <see cref="UndoManager"/> as a
/// tracked origin to undo what this user typed, and nothing else.
/// </remarks>
public abstract class TextBoxBinding : IDisposable
{
    private readonly ITextBox _box;
    private bool _isWriting;

    private protected TextBoxBinding(ITextBox box) => _box = box;

    /// <summary>Where something that moves with the text is now: a caret that somebody else shows, say.</summary>
    /// <param name="index">The place, from <see cref="ToStickyIndex"/> of any binding of the same text.</param>
    /// <returns>The place in the box's text, in UTF-16 code units; null when it is in something else, or its text was deleted.</returns>
    public int? ToPlace(StickyIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        return Find(index) is { } place ? PlaceInBox(Shown, place) : null;
    }

    /// <summary>A place that moves with the text.</summary>
    /// <param name="place">The place in the box's text, in UTF-16 code units.</param>
    public StickyIndex ToStickyIndex(int place) => Stick(PlaceInText(_box.Text, place));

    /// <summary>Ends the binding; box and text stay as they are.</summary>
    public void Dispose()
    {
        _box.TextChanged -= OnBoxChanged;
        StopObserving();
        GC.SuppressFinalize(this);
    }

    /// <summary>What text and box both are, or were before the user typed what is not picked up yet.</summary>
    private protected string Shown { get; private set; } = "";

    /// <summary>The whole text, with line feeds.</summary>
    private protected abstract string Read();

    /// <summary>Makes an edit of <see cref="Shown"/>.</summary>
    private protected abstract void Apply(TextEdit edit);

    private protected abstract int? Find(StickyIndex index);

    private protected abstract StickyIndex Stick(int place);

    private protected abstract void StopObserving();

    /// <summary>Shows the text in the box; what was in there before is gone.</summary>
    private protected void Begin()
    {
        Write(Read(), 0, 0);
        _box.TextChanged += OnBoxChanged;
    }

    /// <summary>What the user has changed since text and box were the same, if anything; it counts as shown from now on.</summary>
    private protected TextEdit? PickUp()
    {
        var box = _box.Text;
        var now = FromBox(box);
        if (now == Shown)
            return null;
        var edit = TextEdit.Between(Shown, now, PlaceInText(box, _box.SelectionStart));
        Shown = now;
        return edit;
    }

    /// <summary>The selection, in code units of the text.</summary>
    private protected (int Start, int End) Selection()
    {
        var (text, start) = (_box.Text, _box.SelectionStart);
        return (PlaceInText(text, start), PlaceInText(text, start + _box.SelectionLength));
    }

    /// <summary>Shows a text and selects a part of it.</summary>
    private protected void Write(string text, int start, int end)
    {
        Shown = text;
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

    private void OnBoxChanged(object? sender, EventArgs e)
    {
        if (_isWriting)
            return;
        var before = Shown;
        if (PickUp() is not { } edit)
            return;
        var typed = Shown;
        // The edit is one of what was shown before.
        Shown = before;
        Apply(edit);
        Shown = typed;
        // Not everything that can be typed can be made: nothing can be written into a picture, say.
        if (Read() is var now && now != typed)
        {
            var (start, end) = Selection();
            Write(now, start, end);
        }
    }

    private string FromBox(string box) => _box.NewLine == "\n" ? box : box.Replace(_box.NewLine, "\n", StringComparison.Ordinal);

    private string ToBox(string text) => _box.NewLine == "\n" ? text : text.Replace("\n", _box.NewLine, StringComparison.Ordinal);

    private int PlaceInText(string box, int place) => FromBox(box[..Math.Clamp(place, 0, box.Length)]).Length;

    private int PlaceInBox(string text, int place) => ToBox(text[..Math.Clamp(place, 0, text.Length)]).Length;
}
