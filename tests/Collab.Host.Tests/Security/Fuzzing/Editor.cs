using System.Text;
using Collab.Crdt;
using Collab.Protocol;
using Collab.Testing;
using Microsoft.AspNetCore.SignalR.Client;

namespace Collab.Host.Tests.Security.Fuzzing;

/// <summary>A user who types words into a shared document, each as soon as the last one is acknowledged, and sees what the others type.</summary>
internal sealed class Editor
{
    private readonly TestClient _client;
    private readonly Typist _typist;
    private readonly StringBuilder _typed = new();
    private readonly Doc _doc = new();
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _enough = new();
    private Task _typing = Task.CompletedTask;
    private int _acknowledged;

    private Editor(TestClient client, ulong clientId)
    {
        _client = client;
        _typist = new Typist(clientId);
        client.Connection.On<string, byte[], string>(HubContract.DocumentUpdated, (_, update, _) => Apply(update));
    }

    /// <summary>How many words are acknowledged.</summary>
    public int Acknowledged => Volatile.Read(ref _acknowledged);

    /// <summary>All that was typed here.</summary>
    public string Typed => _typed.ToString();

    /// <summary>The text as it stands here.</summary>
    public string Text
    {
        get
        {
            lock (_gate)
                return _doc.GetText("t").ToString();
        }
    }

    public static async Task<Editor> StartAsync(TestClient client, ulong clientId)
    {
        var editor = new Editor(client, clientId);
        editor.Apply((await client.JoinAsync(BrokenMessages.Shared)).Update);
        editor._typing = Task.Run(editor.TypeAsync);
        return editor;
    }

    /// <summary>Waits for so many more acknowledgements; what ends the typing fails this.</summary>
    public async Task UntilAcknowledgedAsync(int more)
    {
        for (var wanted = Acknowledged + more; Acknowledged < wanted;)
        {
            if (await Task.WhenAny(_typing, Task.Delay(20)) == _typing)
                await _typing;
        }
    }

    /// <summary>Types no more; all that was typed is acknowledged when this returns.</summary>
    public Task StopAsync()
    {
        _enough.Cancel();
        return _typing;
    }

    private async Task TypeAsync()
    {
        while (!_enough.IsCancellationRequested)
        {
            var word = $"{_typist.ClientId}:{_acknowledged} ";
            var update = _typist.Type(word);
            _typed.Append(word);
            Apply(update);
            await _client.PushAsync(BrokenMessages.Shared, update).WaitAsync(RawConnection.Patience);
            Interlocked.Increment(ref _acknowledged);
        }
    }

    private void Apply(byte[] update)
    {
        lock (_gate)
            _doc.ApplyV1(update);
    }
}
