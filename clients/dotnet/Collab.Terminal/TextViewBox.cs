using System.Drawing;
using Collab.Client;
using Terminal.Gui.Views;

namespace Collab.Terminal;

/// <summary>A terminal's text view as a text box that can be bound. The view counts cells of lines, the binding UTF-16 code units.</summary>
internal sealed class TextViewBox : ITextBox
{
    private readonly TextView _view;
    private int _start;

    public TextViewBox(TextView view)
    {
        _view = view;
        view.ContentsChanged += (_, _) => TextChanged?.Invoke(this, EventArgs.Empty);
    }

    public event EventHandler? TextChanged;

    public string NewLine => Environment.NewLine;

    public string Text
    {
        get => _view.Text;
        set
        {
            var scrolled = _view.Viewport.Location;
            _view.Text = value;
            _view.ScrollTo(scrolled);
        }
    }

    public int SelectionStart
    {
        get => Math.Min(Caret, Anchor);
        set
        {
            _start = value;
            _view.IsSelecting = false;
            _view.InsertionPoint = PointOf(value);
        }
    }

    public int SelectionLength
    {
        get => Math.Abs(Caret - Anchor);
        set
        {
            if (value == 0)
                return;
            var start = PointOf(_start);
            (_view.SelectionStartRow, _view.SelectionStartColumn) = (start.Y, start.X);
            _view.IsSelecting = true;
            _view.InsertionPoint = PointOf(_start + value);
        }
    }

    /// <summary>Where the caret is in the text.</summary>
    public int Caret => PlaceOf(_view.InsertionPoint);

    private int Anchor => _view.IsSelecting ? PlaceOf(new Point(_view.SelectionStartColumn, _view.SelectionStartRow)) : Caret;

    /// <summary>The line and cell of a place.</summary>
    public Point PointOf(int place)
    {
        for (var row = 0; row < _view.Lines; row++)
        {
            var line = _view.GetLine(row);
            for (var column = 0; column < line.Count; column++)
            {
                if (place <= 0)
                    return new Point(column, row);
                place -= line[column].Grapheme.Length;
            }
            if (place <= 0 || row == _view.Lines - 1)
                return new Point(line.Count, row);
            place -= NewLine.Length;
        }
        return Point.Empty;
    }

    private int PlaceOf(Point point)
    {
        var place = 0;
        for (var row = 0; row < point.Y && row < _view.Lines; row++)
            place += _view.GetLine(row).Sum(cell => cell.Grapheme.Length) + NewLine.Length;
        return place + (point.Y < _view.Lines ? _view.GetLine(point.Y).Take(point.X).Sum(cell => cell.Grapheme.Length) : 0);
    }
}
