using System.Net.Http.Json;
using Collab.Testing;
using Collab.Testing.Proxies;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;

namespace Collab.Host.Tests.Channels;

/// <summary>
/// The run that <see cref="DeliveryConformance"/> is about: 10,000 messages of 8 publishers in one channel, while readers of every kind,
/// through nginx and through haproxy, are cut off at random, the server is killed and started again, and for a while nothing is said for
/// longer than the proxies allow.
/// </summary>
public sealed class DeliveryRun : IAsyncLifetime
{
    public const int Publishers = 8;
    public const int PerPublisher = 1250;
    public const int Total = Publishers * PerPublisher;

    private const string Channel = "conformance:all";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly Dictionary<string, ChannelReader> _readers = [];
    private readonly Dictionary<string, int> _connectsWhileSilent = [];

    /// <summary>The ways of reading.</summary>
    public static IEnumerable<string> Ways =>
        from way in (string[])["WebSockets json", "WebSockets messagepack", "ServerSentEvents json", "LongPolling json", "LongPolling messagepack", "EventSource", "long polling", "short polling"]
        from proxy in (string[])["nginx", "haproxy"]
        select $"{way} through {proxy}";

    /// <summary>The acknowledged positions: of each message of each publisher.</summary>
    internal Dictionary<string, string> Acknowledged { get; } = [];

    internal ChannelReader Reader(string way) => _readers[way];

    /// <summary>How often a reader had to come back while nothing but silence was there to cut him off.</summary>
    internal int ConnectsWhileSilent(string way) => _connectsWhileSilent[way];

    public async Task InitializeAsync()
    {
        using var folder = new TemporaryFolder();
        var port = TcpRelay.FreePort();
        var host = await StartAsync(folder, port);
        await using var nginx = await ReverseProxy.NginxAsync(port);
        await using var haproxy = await ReverseProxy.HaproxyAsync(port);
        await using var toNginx = new TcpRelay(nginx.Port);
        await using var toHaproxy = new TcpRelay(haproxy.Port);
        foreach (var way in Ways)
            _readers.Add(way, Create(way, way.EndsWith("nginx", StringComparison.Ordinal) ? toNginx.Url : toHaproxy.Url));
        using var stop = new CancellationTokenSource();
        var reading = _readers.Values.Select(reader => Task.Run(() => reader.RunAsync(stop.Token))).ToArray();
        try
        {
            await UntilAsync(() => _readers.Values.All(reader => reader.Connects > 0));
            var url = $"http://127.0.0.1:{port}";

            await PublishWhileCuttingAsync(url, 0, PerPublisher / 3, [toNginx, toHaproxy]);
            await UntilReadAsync(PerPublisher / 3 * Publishers);

            // Longer than the proxies allow.
            var before = _readers.ToDictionary(reader => reader.Key, reader => reader.Value.Connects);
            await Task.Delay(7500);
            foreach (var (way, reader) in _readers)
                _connectsWhileSilent[way] = reader.Connects - before[way];

            var publishing = PublishWhileCuttingAsync(url, PerPublisher / 3, PerPublisher, [toNginx, toHaproxy]);
            for (var i = 0; i < 2; i++)
            {
                await Task.Delay(1500);
                await host.KillAsync();
                await host.DisposeAsync();
                host = await StartAsync(folder, port);
            }

            await publishing;
            await UntilReadAsync(Total);
            // What is doubled may come late.
            await Task.Delay(500);
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(reading);
            await host.DisposeAsync();
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    private static Task<HostProcess> StartAsync(TemporaryFolder folder, int port) =>
        HostProcess.Launch(folder.Path, arguments: ["--urls", $"http://127.0.0.1:{port}"]).ReadyAsync();

    private static ChannelReader Create(string way, string url) => way.Split(' ') switch
    {
        ["long", ..] => new PollReader(url, Channel, 25),
        ["short", ..] => new PollReader(url, Channel, 0),
        ["EventSource", ..] => new EventStreamReader(url, Channel),
        [var transport, var protocol, ..] => new HubReader(url, Channel, Enum.Parse<HttpTransportType>(transport), protocol == "messagepack"),
        _ => throw new ArgumentException(way),
    };

    private async Task PublishWhileCuttingAsync(string url, int from, int to, TcpRelay[] relays)
    {
        var publishing = Task.WhenAll(Enumerable.Range(0, Publishers).Select(publisher => Task.Run(async () =>
        {
            await using var publish = publisher % 2 == 0 ? (Publisher)new HubPublisher(url, Channel) : new HttpPublisher(url, Channel);
            for (var i = from; i < to; i++)
            {
                var key = $"{publisher}-{i}";
                var position = await publish.UntilAcknowledgedAsync(key);
                lock (Acknowledged)
                    Acknowledged.Add(key, position);
            }
        })));
        var random = new Random();
        while (!publishing.IsCompleted)
        {
            await Task.WhenAny(publishing, Task.Delay(150));
            foreach (var relay in relays)
                relay.CutOne(random);
        }

        await publishing;
    }

    private async Task UntilReadAsync(int count)
    {
        // One who gets too much or too little is found out by the tests, not here.
        await UntilAsync(() => _readers.Values.All(reader => reader.Messages.Length >= count), mayFail: true);
    }

    private static async Task UntilAsync(Func<bool> condition, bool mayFail = false)
    {
        var deadline = DateTime.UtcNow + Patience;
        while (!condition())
        {
            if (DateTime.UtcNow > deadline)
            {
                if (mayFail)
                    return;
                throw new TimeoutException("The readers did not connect.");
            }

            await Task.Delay(50);
        }
    }

    private abstract class Publisher : IAsyncDisposable
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

        /// <summary>Publishes with a key until it is acknowledged.</summary>
        public async Task<string> UntilAcknowledgedAsync(string key)
        {
            var deadline = DateTime.UtcNow + Patience;
            while (true)
            {
                try
                {
                    return await PublishAsync(key);
                }
                catch (Exception) when (DateTime.UtcNow < deadline)
                {
                    await Task.Delay(100);
                }
            }
        }

        public abstract ValueTask DisposeAsync();

        protected abstract Task<string> PublishAsync(string key);
    }

    private sealed class HubPublisher(string url, string channel) : Publisher
    {
        private TestClient? _client;

        public override ValueTask DisposeAsync() => _client?.DisposeAsync() ?? default;

        protected override async Task<string> PublishAsync(string key)
        {
            if (_client is null)
            {
                var client = TestClient.Create(url, null, HttpTransportType.WebSockets, messagePack: true);
                await client.Connection.StartAsync();
                _client = client;
            }

            try
            {
                return await _client.Connection.InvokeAsync<string>("Publish", channel, "n", key, key);
            }
            catch
            {
                await _client.DisposeAsync();
                _client = null;
                throw;
            }
        }
    }

    private sealed class HttpPublisher(string url, string channel) : Publisher
    {
        private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(20) };

        public override ValueTask DisposeAsync()
        {
            _http.Dispose();
            return default;
        }

        protected override async Task<string> PublishAsync(string key)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"{url}/channels/{Uri.EscapeDataString(channel)}/messages"));
            request.Headers.Add("Idempotency-Key", key);
            request.Content = JsonContent.Create(new { @event = "n", data = key });
            using var answer = await _http.SendAsync(request);
            return (await answer.EnsureSuccessStatusCode().JsonAsync()).GetProperty("position").GetString()!;
        }
    }
}
