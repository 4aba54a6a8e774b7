using System.Net;
using System.Net.Sockets;
using System.Text;
using Collab.Protocol;
using Collab.Testing;
using Microsoft.AspNetCore.Http.Connections;

namespace Collab.Server.Tests.Limits;

/// <summary>How many connections one user may hold open, and for how long he may keep one without using it.</summary>
public sealed class ConnectionLimitTests
{
    private static readonly (string, string)[] Three = [("Collab:Limits:ConnectionsPerUser", "3")];

    [Theory]
    [InlineData(HttpTransportType.WebSockets)]
    [InlineData(HttpTransportType.ServerSentEvents)]
    [InlineData(HttpTransportType.LongPolling)]
    public async Task A_user_has_no_more_connections_to_the_hub_until_one_ends(HttpTransportType transport)
    {
        await using var host = await CollabTestHost.StartAsync(Three);
        var open = new TestClient[3];
        for (var i = 0; i < open.Length; i++)
        {
            open[i] = await host.ConnectAsync(transport: transport, messagePack: false);
            // A client takes itself for connected a little before the server does.
            await open[i].JoinAsync("d");
        }

        var refusal = await Assert.ThrowsAsync<HttpRequestException>(() => host.ConnectAsync(transport: transport, messagePack: false));

        Assert.Equal(HttpStatusCode.TooManyRequests, refusal.StatusCode);
        await host.ConnectAsync("grace", transport: transport, messagePack: false);
        await open[0].DisposeAsync();
        await UntilAsync(async () =>
        {
            using var negotiation = await host.PostAsync(HubContract.Path + "/negotiate?negotiateVersion=1", "");
            return negotiation.StatusCode is HttpStatusCode.OK;
        });
    }

    [Fact]
    public async Task Who_negotiated_before_is_refused_when_he_connects()
    {
        await using var host = await CollabTestHost.StartAsync(Three);

        // All negotiate before one of them has connected.
        var connecting = Enumerable.Range(0, 6).Select(_ => host.ConnectAsync()).ToArray();
        await Task.WhenAny(Task.WhenAll(connecting), Task.Delay(TimeSpan.FromSeconds(5)));

        await UntilAsync(() => Task.FromResult(connecting.Count(one => one.IsCompletedSuccessfully && !one.Result.IsClosed) <= 3));
        Assert.Contains(connecting, one => one.IsCompletedSuccessfully && !one.Result.IsClosed);
    }

    [Fact]
    public async Task Event_streams_and_polls_that_wait_are_counted_too()
    {
        await using var host = await CollabTestHost.StartAsync(Three);
        await (await host.ConnectAsync()).JoinAsync("d");
        await using var stream = host.Follow("/channels/c/events");
        await stream.UntilAsync(reader => reader.Opened == 1);
        var poll = host.GetAsync("/channels/c/messages?wait=30");
        // The questions below must not come before it.
        await Task.Delay(500);
        await UntilAsync(async () =>
        {
            using var another = await host.GetAsync("/channels/c/messages?wait=0.01");
            return another.StatusCode is HttpStatusCode.TooManyRequests;
        });

        using var events = await host.GetAsync("/channels/c/events");
        Assert.Equal((HttpStatusCode.TooManyRequests, ErrorCodes.TooMany), (events.StatusCode, await events.CodeAsync()));
        // What does not wait holds nothing.
        using var brief = await host.GetAsync("/channels/c/messages?wait=0");
        Assert.Equal(HttpStatusCode.OK, brief.StatusCode);

        using var published = await host.PostAsync("/channels/c/messages", """{ "event": "e", "data": 1 }""");
        using var polled = await poll;
        Assert.Equal(HttpStatusCode.OK, polled.StatusCode);
    }

    [Fact]
    public async Task Who_says_nothing_after_the_upgrade_is_cut_off()
    {
        await using var host = await CollabTestHost.StartAsync();
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", new Uri(host.Url).Port);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"GET {HubContract.Path} HTTP/1.1\r\nHost: 127.0.0.1:{new Uri(host.Url).Port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            + $"Authorization: {TestAuthentication.Header("ada", CollabTestHost.Everything)}\r\n\r\n"));

        // The answer, what the server says to it, and the end: 5 seconds for the handshake, and as many for the goodbye.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var said = new MemoryStream();
        try
        {
            await stream.CopyToAsync(said, patience.Token);
        }
        catch (IOException)
        {
            // Cut off without a goodbye of ours.
        }

        var text = Encoding.Latin1.GetString(said.ToArray());
        Assert.StartsWith("HTTP/1.1 101", text, StringComparison.Ordinal);
        Assert.Contains("Handshake was canceled", text, StringComparison.Ordinal);
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await condition())
            await Task.Delay(20, patience.Token);
    }
}
