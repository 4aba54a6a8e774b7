namespace Collab.Client;

/// <summary>
/// A text box of whatever toolkit, as <see cref="TextBinding"/> needs it. <c>docs/dotnet.md</c> has the few lines that make one of WPF's,
/// WinForms', Avalonia's and MAUI's. Positions and lengths are in UTF-16 code units of <see cref="Text"/>.
/// </summary>
public interface ITextBox
{
    /// <summary>The user has changed the text, or somebody else has.</summary>
    event EventHandler? TextChanged;

    /// <summary>The whole text.</summary>
    string Text { get; set; }

    /// <summary>Where the selection begins; the caret's place when nothing is selected.</summary>
    int SelectionStart { get; set; }

    /// <summary>How much is selected.</summary>
    int SelectionLength { get; set; }

    /// <summary>What the box puts at the end of a line. In the document that is always a line feed.</summary>
    string NewLine => "\n";
}
