using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Collab.Testing;

namespace Collab.Host.Tests.Durability;

/// <summary>A stop by SIGTERM under traffic is clean: soon over, nothing lost, connections closed in good order.</summary>
public sealed class StopTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private HostProcess? _host;
    private Traffic? _traffic;

    public async Task InitializeAsync()
    {
        _host = await HostProcess.Launch(_folder.Path).ReadyAsync();
        _traffic = await Traffic.StartAsync(_host);
        await _traffic.UntilAcknowledgedAsync(200);
    }

    public async Task DisposeAsync()
    {
        await _host!.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task It_ends_with_code_0_within_seconds()
    {
        var started = Stopwatch.StartNew();

        Assert.Equal(0, await _host!.TerminateAsync());

        Assert.InRange(started.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task What_was_acknowledged_is_there_after_a_restart()
    {
        await _host!.TerminateAsync();
        await _traffic!.EndedAsync();

        await using var again = await HostProcess.Launch(_folder.Path).ReadyAsync();

        await Traffic.AssertKeptAsync(again, _traffic);
    }

    [Fact]
    public async Task Connections_are_closed_and_not_broken()
    {
        await _host!.TerminateAsync();
        await _traffic!.EndedAsync();

        Assert.All(_traffic.Clients, client => Assert.Null(client.ClosedBy));
    }

    [Fact]
    public async Task It_says_nothing_of_errors()
    {
        await _host!.TerminateAsync();

        Assert.DoesNotContain(_host.Lines, line => line.StartsWith("fail:", StringComparison.Ordinal) || line.StartsWith("crit:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Many_are_asked_to_come_back_in_turn_and_all_are_closed_in_good_order()
    {
        var ended = new ConcurrentBag<long>();
        var clients = await Task.WhenAll(Enumerable.Range(0, 400).Select(_ => _host!.ConnectAsync()));
        foreach (var client in clients)
            client.Connection.Closed += _ => { ended.Add(Stopwatch.GetTimestamp()); return Task.CompletedTask; };

        Assert.Equal(0, await _host!.TerminateAsync());
        await Task.WhenAll(clients.Select(client => client.UntilAsync(self => self.IsClosed)));

        Assert.All(clients, client => Assert.Null(client.ClosedBy));
        Assert.InRange(Stopwatch.GetElapsedTime(ended.Min(), ended.Max()), TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(4));
    }

    [Fact]
    public async Task Whoever_waits_for_a_message_is_answered_at_once()
    {
        using var http = new HttpClient();
        var waiting = http.GetStringAsync(new Uri($"{_host!.Url}/channels/quiet/messages?wait=60"));
        await Task.Delay(300);
        var started = Stopwatch.StartNew();

        Assert.Equal(0, await _host.TerminateAsync());

        Assert.StartsWith("{\"messages\":[]", (await waiting).TrimStart(), StringComparison.Ordinal);
        Assert.InRange(started.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    [Theory]
    [InlineData("POST", "hubs/collab/negotiate?negotiateVersion=1")]
    [InlineData("GET", "hubs/collab")]
    [InlineData("GET", "channels/news/messages")]
    public async Task While_it_ends_it_begins_nothing_that_lasts(string method, string path)
    {
        using var http = new HttpClient();
        using var silent = await ConnectSilentAsync();
        var stopped = _host!.TerminateAsync();
        await Task.Delay(1_000);

        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri($"{_host.Url}/{path}"));
        using var answer = await http.SendAsync(request);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("unavailable", await answer.CodeAsync());
        Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter?.Delta);
        await stopped;
    }

    [Fact]
    public async Task Who_negotiated_before_and_connects_while_it_ends_is_sent_away()
    {
        using var http = new HttpClient();
        using var answer = await http.PostAsync(new Uri($"{_host!.Url}/hubs/collab/negotiate?negotiateVersion=1"), null);
        using var negotiated = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        using var silent = await ConnectSilentAsync();
        var stopped = _host.TerminateAsync();
        await Task.Delay(1_000);

        using var late = await ConnectSilentAsync("?id=" + negotiated.RootElement.GetProperty("connectionToken").GetString());
        var buffer = new byte[1024];
        var told = "";
        while (!told.Contains("\"type\":7", StringComparison.Ordinal))
            told += Encoding.UTF8.GetString(buffer, 0, (await late.ReceiveAsync(buffer, default)).Count);

        Assert.Contains("{\"type\":7,\"allowReconnect\":true}", told, StringComparison.Ordinal);
        await late.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
        await stopped;
    }

    /// <summary>Connects to the hub as one who neither reads nor closes: a stop waits for him a while.</summary>
    private async Task<ClientWebSocket> ConnectSilentAsync(string query = "")
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"{_host!.Url.Replace("http", "ws", StringComparison.Ordinal)}/hubs/collab{query}"), default);
        await socket.SendAsync("{\"protocol\":\"json\",\"version\":1}\u001e"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, default);
        return socket;
    }
}
