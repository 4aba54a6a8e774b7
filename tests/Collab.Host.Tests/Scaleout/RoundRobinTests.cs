using System.Net;
using Collab.Protocol;
using Collab.Testing;
using Collab.Testing.Proxies;
using Microsoft.AspNetCore.Http.Connections;

namespace Collab.Host.Tests.Scaleout;

/// <summary>Behind a balancer that sends each request to another node, every transport works: any node takes any request.</summary>
public sealed class RoundRobinTests : IAsyncLifetime
{
    private static readonly (HttpTransportType Transport, bool MessagePack)[] Transports =
    [
        (HttpTransportType.WebSockets, true), (HttpTransportType.WebSockets, false), (HttpTransportType.ServerSentEvents, false),
        (HttpTransportType.LongPolling, true), (HttpTransportType.LongPolling, false),
    ];

    private readonly List<TestClient> _clients = [];
    private Cluster _cluster = null!;

    public async Task InitializeAsync()
    {
        _cluster = await Cluster.StartAsync();
        // Until the nodes have heard of each other.
        await Task.Delay(2_500);
    }

    public async Task DisposeAsync()
    {
        foreach (var client in _clients)
            await client.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Theory]
    [InlineData("nginx")]
    [InlineData("haproxy")]
    public async Task Clients_of_every_transport_are_in_the_same_room(string program)
    {
        await using var proxy = program == "nginx"
            ? await ReverseProxy.DeployedNginxAsync(_cluster.Ports)
            : await ReverseProxy.DeployedHaproxyAsync(_cluster.Ports);
        var url = $"http://127.0.0.1:{proxy.Port}";
        foreach (var (transport, messagePack) in Transports)
        {
            // Several of each, as one could be on the right node by chance.
            for (var i = 0; i < 3; i++)
                await (await ConnectAsync(url, transport, messagePack)).JoinAsync("d");
        }

        var typists = _clients.Select((_, i) => new Typist((ulong)i + 1)).ToArray();
        for (var n = 0; n < 3; n++)
            await Task.WhenAll(_clients.Select((client, i) => client.PushAsync("d", typists[i].Type("abc"))));

        for (var i = 0; i < _clients.Count; i++)
        {
            foreach (var typist in typists.Where((_, n) => n != i))
                await _clients[i].UntilReadAsync(typist, 9);
        }

        Assert.All(_clients, client => Assert.False(client.IsClosed));
    }

    [Fact]
    public async Task A_request_for_a_connection_of_a_node_that_is_gone_is_answered_at_once()
    {
        using var http = new HttpClient();
        var negotiated = await NegotiateAsync(http, _cluster.Urls[0]);
        await _cluster.CrashAsync(0);

        using var answer = await http.GetAsync(new Uri($"{_cluster.Urls[1]}{HubContract.Path}?id={negotiated}"));

        Assert.Equal((HttpStatusCode.NotFound, "not_found"), (answer.StatusCode, await answer.CodeAsync()));
    }

    [Fact]
    public async Task A_page_is_judged_by_the_name_that_it_asked_for_also_where_its_request_is_passed_on_to()
    {
        using var http = new HttpClient();
        var negotiated = await NegotiateAsync(http, _cluster.Urls[0]);

        async Task<HttpStatusCode> PollAsync(string origin)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"{_cluster.Urls[1]}{HubContract.Path}?id={negotiated}"));
            request.Headers.Host = "app.localhost";
            request.Headers.Add("Origin", origin);
            using var answer = await http.SendAsync(request);
            return answer.StatusCode;
        }

        Assert.Equal(HttpStatusCode.Forbidden, await PollAsync("http://evil.localhost"));
        Assert.Equal(HttpStatusCode.OK, await PollAsync("http://app.localhost"));
    }

    [Fact]
    public async Task Who_only_says_that_he_is_a_node_is_not_believed()
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_cluster.Urls[0] + "/channels/c/messages?wait=0"));
        request.Headers.Add("X-Collab-Node", $"{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}|203.0.113.9|https|AAAA");

        using var answer = await http.SendAsync(request);

        // It is served as what it is: a request of a caller over http.
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private async Task<TestClient> ConnectAsync(string url, HttpTransportType transport, bool messagePack)
    {
        var client = TestClient.Create(url, null, transport, messagePack);
        _clients.Add(client);
        await client.Connection.StartAsync();
        return client;
    }

    private static async Task<string> NegotiateAsync(HttpClient http, string url)
    {
        using var answer = await http.PostAsync(new Uri($"{url}{HubContract.Path}/negotiate?negotiateVersion=1"), null);
        return (await answer.JsonAsync()).GetProperty("connectionToken").GetString()!;
    }
}
