using System.Net.WebSockets;
using Collab.Server.Documents.Handlers;
using Collab.Testing;
using Collab.Testing.Nodes;

namespace Collab.Server.Gateways;

/// <summary>What the npm packages in <c>clients/typescript/gateways</c> do not show of the Hocuspocus gateway.</summary>
public sealed class HocuspocusTests
{
    [Fact]
    public async Task Who_does_not_sign_in_is_not_waited_for()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Limits:SignInMilliseconds", "300")]);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(AddressOf(host), default);

        Assert.Equal(4408, await CloseCodeAsync(socket));
    }

    [Fact]
    public async Task Who_has_signed_in_otherwise_may_wait()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Limits:SignInMilliseconds", "300")]);
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", TestAuthentication.Header("ada", CollabTestHost.Everything));
        await socket.ConnectAsync(AddressOf(host), default);

        await Task.Delay(1_000);
        await socket.SendAsync(new byte[] { 1, (byte)'d', 2, 0, 0 }, WebSocketMessageType.Binary, true, default);

        var buffer = new byte[100];
        var read = await socket.ReceiveAsync(buffer, default);
        Assert.Equal([1, (byte)'d', 2, 2, 10, .. "read-write"u8], buffer[..read.Count]);
    }

    [Fact]
    public async Task Who_tries_one_name_after_another_is_sent_away()
    {
        await using var host = await CollabTestHost.StartAsync();
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(AddressOf(host), default);

        var closed = CloseCodeAsync(socket);
        for (var i = 0; i < 1_500 && !closed.IsCompleted; i++)
            await socket.SendAsync((byte[])[4, .. i.ToString("x4", null).Select(digit => (byte)digit), 2, 0, 0], WebSocketMessageType.Binary, true, default);

        Assert.Equal(4205, await closed);
    }

    [Fact]
    public async Task What_a_client_says_beside_the_document_a_handler_hears_and_may_answer_to_all_on_all_nodes()
    {
        await using var nodes = new InMemoryNodes();
        var (a, b) = (await nodes.StartAsync(collab => collab.AddDocumentHandler<Answering>()), await nodes.StartAsync());
        using var ada = await EnterAsync(a);
        using var ben = await EnterAsync(b);
        var hub = await b.ConnectAsync("cleo");
        await hub.JoinAsync("d");

        await UntilHeardAsync(ben, () => SendAsync(ada, [1, (byte)'d', 5, 5, .. "hello"u8]), [1, (byte)'d', 5, 11, .. "hello, user"u8]);

        // Who speaks SignalR is in the document, and goes on.
        Assert.False(hub.IsClosed);
    }

    [Fact]
    public async Task Who_may_only_read_does_not_speak_to_all()
    {
        await using var host = await CollabTestHost.StartAsync();
        using var writer = await EnterAsync(host);
        using var reader = await EnterAsync(host, CollabTestHost.ReadEverything);

        await UntilHeardAsync(reader, () => SendAsync(writer, [1, (byte)'d', 6, 2, .. "hi"u8]), [1, (byte)'d', 5, 2, .. "hi"u8]);
        await SendAsync(reader, [1, (byte)'d', 6, 2, .. "no"u8]);

        byte[] ended = [1, (byte)'d', 7];
        await UntilHeardAsync(reader, () => Task.CompletedTask, ended, onlyBeginning: true);
    }

    private static Task SendAsync(ClientWebSocket socket, byte[] message) => socket.SendAsync(message, WebSocketMessageType.Binary, true, default);

    /// <summary>A client in the document d.</summary>
    private static async Task<ClientWebSocket> EnterAsync(CollabTestHost host, string grants = CollabTestHost.Everything)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", TestAuthentication.Header("user", grants));
        await socket.ConnectAsync(AddressOf(host), default);
        await SendAsync(socket, [1, (byte)'d', 2, 0, 0]);
        await socket.ReceiveAsync(new byte[100], default);
        return socket;
    }

    /// <summary>Says something until the client hears what is wanted: across nodes it is heard as soon as they know each other.</summary>
    private static async Task UntilHeardAsync(ClientWebSocket socket, Func<Task> say, byte[] wanted, bool onlyBeginning = false)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var buffer = new byte[1024];
        var hearing = socket.ReceiveAsync(buffer, patience.Token);
        while (true)
        {
            await say();
            while (await Task.WhenAny(hearing, Task.Delay(100, patience.Token)) == hearing)
            {
                var heard = buffer[..(await hearing).Count];
                if (onlyBeginning ? heard.AsSpan().StartsWith(wanted) : heard.AsSpan().SequenceEqual(wanted))
                    return;
                hearing = socket.ReceiveAsync(buffer, patience.Token);
            }
        }
    }

    private static Uri AddressOf(CollabTestHost host) => new($"{host.Url.Replace("http", "ws", StringComparison.Ordinal)}/hocuspocus");

    private static async Task<int> CloseCodeAsync(ClientWebSocket socket)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var buffer = new byte[1024];
        while (true)
        {
            if (await socket.ReceiveAsync(buffer, patience.Token) is { MessageType: WebSocketMessageType.Close })
                return (int)socket.CloseStatus!.Value;
        }
    }

    /// <summary>Greets whoever says something, before all.</summary>
    private sealed class Answering : IDocumentHandler
    {
        public async ValueTask StatelessReceivedAsync(
            DocumentContext document, DocumentParticipant participant, string payload, CancellationToken cancellationToken) =>
            await document.BroadcastStatelessAsync($"{payload}, {participant.UserId}");
    }
}
