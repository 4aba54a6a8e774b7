using System.Collections.ObjectModel;
using Collab.Client;
using Collab.Crdt;
using Collab.Protocol;
using Terminal.Gui.Drawing;
using Terminal.Gui.Input;
using Terminal.Gui.ViewBase;
using Terminal.Gui.Views;
using Attribute = Terminal.Gui.Drawing.Attribute;

namespace Collab.Terminal;

/// <summary>The window: the document, who is there, the chat, and whether all is saved.</summary>
internal sealed class EditorWindow : Window
{
    private const int SideWidth = 34;
    private static readonly TimeSpan CaretInterval = TimeSpan.FromMilliseconds(50);

    private readonly CollabConnection _connection;
    private readonly SharedDocument _document;
    private readonly DocumentView _view;
    private readonly ChatView _chat;
    private readonly ObservableCollection<string> _people = [];
    private readonly List<Person> _shown = [];
    private readonly Label _status = new() { Y = Pos.AnchorEnd(1), Width = Dim.Fill() };
    private bool _isOffline;
    private string? _trouble;

    public EditorWindow(CollabConnection connection, SharedDocument document, Person me)
    {
        (_connection, _document) = (connection, document);
        Title = $"Collab · {document.Id}";
        document.Awareness.LocalState = Any.FromObject(("user", me.ToAny(document.Awareness.ClientId)));

        var text = new FrameView { Title = "Document", Width = Dim.Fill(SideWidth), Height = Dim.Fill(1) };
        _view = new DocumentView(document) { Width = Dim.Fill(), Height = Dim.Fill() };
        text.Add(_view);
        var here = new FrameView { Title = "Here", X = Pos.Right(text), Width = SideWidth, Height = 8 };
        var people = new ListView { Width = Dim.Fill(), Height = Dim.Fill(), CanFocus = false };
        people.SetSource(_people);
        people.RowRender += (_, row) => row.RowAttribute = row.Row < _shown.Count ? new Attribute(Color.White, _shown[row.Row].Color) : null;
        here.Add(people);
        _chat = new ChatView(connection, document.Id, me) { X = Pos.Right(text), Y = Pos.Bottom(here), Width = SideWidth, Height = Dim.Fill(1) };
        Add(text, here, _chat, _status);

        document.PropertyChanged += (_, _) => ShowStatus();
        document.AwarenessChanged += (_, _) => ShowPeople();
        document.Closed += (_, reason) => Trouble(reason == DocumentCloseReasons.Deleted ? "the document was deleted" : "you may not open this document");
        document.Failed += (_, failure) => Trouble(failure.Message);
        connection.StatusChanged += (_, _) => ShowStatus();
        connection.Failed += (_, failure) => Trouble(failure.Code == ClientErrorCodes.Unauthorized ? "the server does not know you: set COLLAB_TOKEN" : null);
        ShowPeople();
        ShowStatus();
    }

    /// <inheritdoc/>
    public override void EndInit()
    {
        base.EndInit();
        App!.AddTimeout(CaretInterval, () =>
        {
            _view.ShowCaret();
            return true;
        });
        _view.SetFocus();
    }

    /// <inheritdoc/>
    protected override bool OnKeyDown(Key key)
    {
        if (key == Key.Q.WithCtrl)
        {
            App!.RequestStop();
            return true;
        }
        if (key == Key.F2)
        {
            _isOffline = !_isOffline;
            if (_isOffline)
                _ = _connection.DisconnectAsync();
            else
                _connection.Connect();
            ShowStatus();
            return true;
        }
        if (key == Key.F3)
        {
            if (_chat.HasFocus)
                _view.SetFocus();
            else
                _chat.Write();
            ShowStatus();
            return true;
        }
        return base.OnKeyDown(key);
    }

    private void ShowPeople()
    {
        var others = _document.Awareness.States.Where(state => state.Key != _document.Awareness.ClientId)
            .OrderBy(state => state.Key).Select(state => Person.Of(state.Value)).OfType<Person>();
        var me = Person.Of(_document.Awareness.LocalState ?? Any.Null);
        _shown.Clear();
        _shown.AddRange(others);
        _people.Clear();
        foreach (var person in _shown)
            _people.Add(person.Name);
        if (me is null)
            return;
        _shown.Add(me);
        _people.Add($"{me.Name} (you)");
    }

    private void ShowStatus()
    {
        if (_document.IsSynced)
            _trouble = null;
        var state = (_isOffline, _connection.Status, _document.IsSynced) switch
        {
            (true, _, _) => "offline",
            (_, CollabStatus.Connected, true) => $"connected over {_connection.Transport}",
            (_, CollabStatus.Disconnected, _) => "waiting for the server",
            _ => "connecting",
        };
        var saved = _document.Access == DocumentAccess.Read ? "read only"
            : _document.HasUnsyncedChanges ? $"{_document.Unacknowledged} changes kept here"
            : _document.IsSynced ? "all saved" : "nothing unsent";
        _status.Text = $" {state} · {saved}{(_trouble is null ? "" : $" · {Person.Clean(_trouble, 80)}")}   F2 {(_isOffline ? "go online" : "go offline")}  F3 {(_chat.HasFocus ? "document" : "chat")}  Ctrl+Q quit";
    }

    private void Trouble(string? what)
    {
        _trouble = what;
        ShowStatus();
    }
}
