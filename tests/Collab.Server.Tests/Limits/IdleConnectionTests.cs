using System.Net.WebSockets;
using System.Text;
using Collab.Protocol;
using Collab.Testing;

namespace Collab.Server.Tests.Limits;

/// <summary>A client that has gone without a word does not hold its connection for ever.</summary>
public sealed class IdleConnectionTests
{
    [Fact]
    public async Task Who_has_pinged_and_is_silent_for_30_seconds_is_cut_off()
    {
        await using var host = await CollabTestHost.StartAsync();
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", TestAuthentication.Header("ada", CollabTestHost.Everything));
        await socket.ConnectAsync(new Uri(host.Url.Replace("http", "ws", StringComparison.Ordinal) + HubContract.Path), default);
        await SendAsync(socket, """{"protocol":"json","version":1}""");
        // Who never pings is one of those old clients that do not.
        await SendAsync(socket, """{"type":6}""");

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var buffer = new byte[4096];
        var started = TimeProvider.System.GetTimestamp();
        WebSocketReceiveResult received;
        do
            received = await socket.ReceiveAsync(buffer, patience.Token);
        while (received.MessageType is not WebSocketMessageType.Close);

        // The server looks every second.
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 29, 45);
    }

    private static Task SendAsync(ClientWebSocket socket, string message) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(message + '\u001e'), WebSocketMessageType.Text, true, default);
}
