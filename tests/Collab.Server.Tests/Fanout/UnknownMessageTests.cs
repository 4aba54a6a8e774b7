using System.Net.WebSockets;
using System.Text;
using Collab.Protocol;
using Collab.Testing;

namespace Collab.Server.Tests.Fanout;

/// <summary>A client of another version may send messages whose type the server does not know.</summary>
public sealed class UnknownMessageTests
{
    [Theory]
    [InlineData("""{"type":101}""")]
    [InlineData("""{"type":-1,"target":"JoinDocument"}""")]
    public async Task They_are_passed_over_and_the_connection_goes_on(string unknown)
    {
        await using var host = await CollabTestHost.StartAsync();
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", TestAuthentication.Header("ada", CollabTestHost.Everything));
        await socket.ConnectAsync(new Uri(host.Url.Replace("http", "ws", StringComparison.Ordinal) + HubContract.Path), default);
        await SendAsync(socket, """{"protocol":"json","version":1}""");

        await SendAsync(socket, unknown);
        await SendAsync(socket, """{"type":1,"invocationId":"1","target":"GetHistory","arguments":["c"]}""");

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var said = new StringBuilder();
        var buffer = new byte[4096];
        while (!said.ToString().Contains("\"invocationId\":\"1\"", StringComparison.Ordinal))
            said.Append(Encoding.UTF8.GetString(buffer, 0, (await socket.ReceiveAsync(buffer, patience.Token)).Count));
        Assert.Contains("\"result\":", said.ToString(), StringComparison.Ordinal);
    }

    private static Task SendAsync(ClientWebSocket socket, string message) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(message + '\u001e'), WebSocketMessageType.Text, true, default);
}
