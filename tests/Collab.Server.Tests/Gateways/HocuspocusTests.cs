using System.Net.WebSockets;
using Collab.Testing;

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
}
