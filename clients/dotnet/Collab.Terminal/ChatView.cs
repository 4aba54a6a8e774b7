using System.Collections.ObjectModel;
using System.Text.Json;
using Collab.Client;
using Collab.Protocol;
using Terminal.Gui.Input;
using Terminal.Gui.ViewBase;
using Terminal.Gui.Views;

namespace Collab.Terminal;

/// <summary>The chat beside a document, the same as on the demo page.</summary>
internal sealed class ChatView : FrameView
{
    private const int Rewind = 100, MaxText = 2_000, MaxChannel = 200;

    private readonly ObservableCollection<string> _lines = [];
    private readonly ListView _list = new() { Width = Dim.Fill(), Height = Dim.Fill(1), CanFocus = false };
    private readonly TextField _input = new() { Y = Pos.AnchorEnd(1), Width = Dim.Fill() };
    private readonly Channel _channel;
    private readonly ChannelSubscription _subscription;
    private readonly Person _me;

    public ChatView(CollabConnection connection, string documentId, Person me)
    {
        _me = me;
        Title = "Chat";
        _list.SetSource(_lines);
        Add(_list, _input);
        _input.Accepting += OnAccepting;
        _channel = connection.Channel(ChannelOf(documentId));
        _subscription = _channel.Subscribe(OnMessage, new ChannelSubscribeOptions
        {
            Rewind = Rewind,
            Presence = me.ToJson(),
            OnGap = _ => Show("… (some messages are lost)"),
            OnClosed = error => Show($"({error.Code})"),
        });
    }

    /// <summary>The channel of a document: no longer than a name may be, so very long ids are shortened and told apart by their hash.</summary>
    public static string ChannelOf(string documentId)
    {
        var name = $"doc:{documentId}";
        if (name.Length <= MaxChannel)
            return name;
        var end = $"~{Hash(0x811c9dc5):x8}{Hash(0x2c1b3c6d):x8}";
        return name[..(MaxChannel - end.Length)] + end;

        uint Hash(uint seed) => documentId.Aggregate(seed, (sum, character) => (sum ^ character) * 0x01000193);
    }

    /// <summary>Lets the user write a message.</summary>
    public void Write() => _input.SetFocus();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _subscription.Dispose();
        base.Dispose(disposing);
    }

    private void OnAccepting(object? sender, CommandEventArgs e)
    {
        e.Handled = true;
        var text = _input.Text.Trim();
        if (text.Length == 0)
            return;
        _input.Text = "";
        _ = SendAsync(text[..Math.Min(text.Length, MaxText)]);
    }

    private async Task SendAsync(string text)
    {
        try
        {
            await _channel.PublishJsonAsync("chat", JsonSerializer.SerializeToElement(new { from = _me.ToJson(), text }));
        }
        catch (CollabException exception)
        {
            Show($"(not sent: {exception.Code})");
        }
    }

    private void OnMessage(ChannelMessage message)
    {
        if (message.Event != "chat" || message.GetJson() is not { ValueKind: JsonValueKind.Object } data)
            return;
        var from = data.TryGetProperty("from", out var person) ? Person.Of(person) : Person.Of(data);
        Show($"{from.Name}: {Person.Clean(Person.TextOf(data, "text"), MaxText)}");
    }

    private void Show(string line)
    {
        _lines.Add(line);
        _list.MoveEnd(false);
    }
}
