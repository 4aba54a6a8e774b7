namespace Collab.Client.Tests.Bindings;

/// <summary>A text box as toolkits have them: setting its text throws the caret to the beginning, and tells, at once or later.</summary>
internal sealed class Box : ITextBox
{
    private string _text = "";
    private int _selectionStart, _selectionLength;

    public event EventHandler? TextChanged;

    public string NewLine { get; init; } = "\n";

    /// <summary>Whether what the user does is told when <see cref="Tell"/> is called, as toolkits do that queue events.</summary>
    public bool TellsLate { get; init; }

    public bool IsUntold { get; private set; }

    public string Text
    {
        get => _text;
        set
        {
            _text = value;
            (_selectionStart, _selectionLength) = (0, 0);
            Changed();
        }
    }

    public int SelectionStart
    {
        get => _selectionStart;
        set => _selectionStart = value <= _text.Length ? value : throw new ArgumentOutOfRangeException(nameof(value));
    }

    public int SelectionLength
    {
        get => _selectionLength;
        set => _selectionLength = _selectionStart + value <= _text.Length ? value : throw new ArgumentOutOfRangeException(nameof(value));
    }

    /// <summary>The caret, in code units of the text with line feeds.</summary>
    public int PlaceInText => _text[.._selectionStart].Replace(NewLine, "\n", StringComparison.Ordinal).Length;

    public void Select(int start, int length) => (_selectionStart, _selectionLength) = (start, length);

    /// <summary>The user types at a place.</summary>
    public void Type(string text, int at)
    {
        _text = _text.Insert(at, text);
        Select(at + text.Length, 0);
        Changed();
    }

    /// <summary>The user deletes something.</summary>
    public void Remove(int start, int length)
    {
        _text = _text.Remove(start, length);
        Select(start, 0);
        Changed();
    }

    /// <summary>The user types over something.</summary>
    public void Replace(int start, int length, string text)
    {
        _text = _text.Remove(start, length).Insert(start, text);
        Select(start + text.Length, 0);
        Changed();
    }

    /// <summary>Tells what was not told yet.</summary>
    public void Tell()
    {
        if (!IsUntold)
            return;
        IsUntold = false;
        TextChanged?.Invoke(this, EventArgs.Empty);
    }

    /// <summary>The place, or the one before it where it would cut a character or the end of a line.</summary>
    public static int Boundary(string text, int place) =>
        place > 0 && place < text.Length && (char.IsLowSurrogate(text[place]) || (text[place] == '\n' && text[place - 1] == '\r')) ? place - 1 : place;

    private void Changed()
    {
        IsUntold = true;
        if (!TellsLate)
            Tell();
    }
}
