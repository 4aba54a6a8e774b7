using Collab.Client;
using Collab.Crdt;
using Terminal.Gui.Drawing;
using Terminal.Gui.Input;
using Terminal.Gui.Text;
using Terminal.Gui.ViewBase;
using Terminal.Gui.Views;
using Attribute = Terminal.Gui.Drawing.Attribute;

namespace Collab.Terminal;

/// <summary>The document, with the carets of others in their colours. Rich text shows as lines, one for each of its blocks.</summary>
internal sealed class DocumentView : TextView
{
    private readonly SharedDocument _document;
    private readonly TextViewBox _box;
    private readonly RichTextBinding _binding;
    private readonly UndoManager _undo;
    private int? _shown;

    public DocumentView(SharedDocument document)
    {
        _document = document;
        TabKeyAddsTab = false;
        _box = new TextViewBox(this);
        // The root and the names in it are those of the demo page's editor.
        var fragment = document.Doc.GetXmlFragment("default");
        _binding = new RichTextBinding(fragment, _box);
        _undo = new UndoManager([fragment], new UndoOptions { TrackedOrigins = [_binding] });
        document.AwarenessChanged += OnAwarenessChanged;
    }

    /// <summary>Tells the others where the caret is, if it has moved.</summary>
    public void ShowCaret()
    {
        var caret = HasFocus ? _box.Caret : (int?)null;
        if (caret == _shown)
            return;
        _shown = caret;
        if (_document.Awareness.LocalState is not { Kind: AnyKind.Object })
            return;
        if (caret is not { } place)
        {
            _document.Awareness.SetLocalStateField("cursor", Any.Null);
            return;
        }
        var index = _binding.ToStickyIndex(place).ToJson();
        _document.Awareness.SetLocalStateField("cursor", Any.FromObject(("anchor", index), ("head", index)));
    }

    /// <inheritdoc/>
    protected override bool OnKeyDown(Key key)
    {
        // The view's own undo would take back what others wrote, too.
        if (key == Key.Z.WithCtrl)
            return _undo.Undo() is not null || true;
        if (key == Key.Y.WithCtrl)
            return _undo.Redo() is not null || true;
        return base.OnKeyDown(key);
    }

    /// <inheritdoc/>
    protected override bool OnDrawingContent(DrawContext? context)
    {
        var drawn = base.OnDrawingContent(context);
        foreach (var (client, state) in _document.Awareness.States)
        {
            if (client != _document.Awareness.ClientId && Person.Of(state) is { } person && CaretOf(state) is { } place)
                Draw(person, place);
        }
        return drawn;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _document.AwarenessChanged -= OnAwarenessChanged;
            _undo.Dispose();
            _binding.Dispose();
        }
        base.Dispose(disposing);
    }

    private void OnAwarenessChanged(object? sender, AwarenessChange change) => SetNeedsDraw();

    private int? CaretOf(Any state)
    {
        try
        {
            return state.AsObject().TryGetValue("cursor", out var cursor) && cursor.Kind == AnyKind.Object
                && cursor.AsObject().TryGetValue("head", out var head)
                ? _binding.ToPlace(StickyIndex.FromJson(head))
                : null;
        }
        catch (Exception exception) when (exception is InvalidUpdateException or InvalidOperationException or ArgumentException)
        {
            // Whatever a stranger shows there, it is no place.
            return null;
        }
    }

    private void Draw(Person person, int place)
    {
        var point = _box.PointOf(place);
        var line = GetLine(point.Y);
        var column = line.Take(point.X).Sum(cell => Math.Max(1, cell.Grapheme.GetColumns())) - Viewport.X;
        var row = point.Y - Viewport.Y;
        if (column < 0 || column >= Viewport.Width || row < 0 || row >= Viewport.Height)
            return;
        SetAttribute(new Attribute(Color.White, person.Color));
        AddStr(column, row, point.X < line.Count && line[point.X].Grapheme is { } cell && cell.GetColumns() == 1 ? cell : " ");
        // His name stands behind the line, where it covers nothing.
        var end = line.Sum(cell => Math.Max(1, cell.Grapheme.GetColumns())) - Viewport.X + 2;
        if (end >= 0 && end + person.Name.Length <= Viewport.Width)
            AddStr(end, row, $" {person.Name} ");
    }
}
