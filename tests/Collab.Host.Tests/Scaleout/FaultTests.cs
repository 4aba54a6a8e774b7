using System.Collections.Concurrent;
using System.Diagnostics;
using Collab.Crdt;
using Collab.Host.Tests.Channels;
using Collab.Protocol;
using Collab.Testing;
using Microsoft.AspNetCore.Http.Connections;
using Xunit.Abstractions;

namespace Collab.Host.Tests.Scaleout;

/// <summary>
/// Three nodes under load while everything that can happen to them does. By a record of what was acknowledged, kept outside: nothing is
/// lost, nothing is doubled, and all have the same in the end. <c>COLLAB_LONG=1</c> does it to 30 documents and 10 channels, ten times.
/// </summary>
public sealed class FaultTests(ITestOutputHelper output) : IAsyncLifetime
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("COLLAB_LONG") == "1";
    private static readonly int Documents = IsLong ? 30 : 6;
    private static readonly int Channels = IsLong ? 10 : 2;
    private static readonly int Rounds = IsLong ? 10 : 1;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(IsLong ? 30 : 7);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private static readonly HttpTransportType[] Transports =
        [HttpTransportType.WebSockets, HttpTransportType.ServerSentEvents, HttpTransportType.LongPolling];

    private readonly List<DocumentWriter> _writers = [];
    private readonly List<DocumentReader> _readers = [];
    private readonly List<(string Channel, string Way, ChannelReader Reader)> _subscribers = [];
    private readonly ConcurrentDictionary<string, string> _published = new(StringComparer.Ordinal);
    private readonly List<string> _table = [];
    private Cluster _cluster = null!;

    public async Task InitializeAsync() => _cluster = await Cluster.StartAsync();

    public async Task DisposeAsync()
    {
        _readers.ForEach(reader => reader.Dispose());
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Whatever_happens_to_nodes_Redis_and_Postgres_nothing_is_lost_or_doubled()
    {
        using var writing = new CancellationTokenSource();
        using var reading = new CancellationTokenSource();
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var (writers, readers) = Begin(new Random(seed), writing.Token, reading.Token);
        await UntilAsync(() => _writers.TrueForAll(writer => writer.Acknowledged > 0) && !_published.IsEmpty);

        for (var round = 0; round < Rounds; round++)
            await TryFaultsAsync(round);

        await writing.CancelAsync();
        await Task.WhenAll(writers);
        await UntilAsync(HaveEverything);
        await Task.Delay(500); // What is doubled may come late.
        output.WriteLine(string.Join('\n', _table));
        await reading.CancelAsync();
        await Task.WhenAll(readers);
        output.WriteLine($"acknowledged: {_writers.Sum(writer => writer.Acknowledged / 5)} updates, {_published.Count} messages");

        await AssertDocumentsAreEqualAsync();
        AssertChannelsAreWhole();
    }

    private (Task[] Writers, Task[] Readers) Begin(Random random, CancellationToken writing, CancellationToken reading)
    {
        var (writers, readers) = (new List<Task>(), new List<Task>());
        for (var i = 0; i < Documents; i++)
        {
            for (var n = 0; n < 2; n++)
            {
                _writers.Add(new DocumentWriter(_cluster, new Random(random.Next()), Transports[(i + n) % 3], $"fault/{i}", (ulong)(10 * i + n + 1)));
                writers.Add(_writers[^1].RunAsync(writing));
            }

            foreach (var transport in Transports)
            {
                _readers.Add(new DocumentReader(_cluster, new Random(random.Next()), transport, $"fault/{i}"));
                readers.Add(_readers[^1].RunAsync(reading));
            }
        }

        for (var i = 0; i < Channels; i++)
        {
            var channel = $"fault:{i}";
            for (var n = 0; n < 2; n++)
                writers.Add(new ChannelPublisher(_cluster, new Random(random.Next()), Transports[(i + n) % 3], channel, n, _published).RunAsync(writing));
            for (var n = 0; n < Cluster.Nodes; n++)
            {
                var url = _cluster.Urls[n];
                _subscribers.Add((channel, $"{Transports[n]} at node {n}", new HubReader(url, channel, Transports[n], messagePack: false)));
                _subscribers.Add((channel, $"long polls at node {n}", new PollReader(url, channel, 25)));
            }
        }

        readers.AddRange(_subscribers.Select(subscriber => subscriber.Reader.RunAsync(reading)));
        return ([.. writers], [.. readers]);
    }

    private async Task TryFaultsAsync(int round)
    {
        var node = round % Cluster.Nodes;
        await TryAsync("Redis is killed and comes back empty 5 s later", async () =>
        {
            await _cluster.Redis.KillAsync();
            await Task.Delay(5_000);
            await _cluster.Redis.StartAgainAsync();
        });
        await TryAsync("a node is killed", () => _cluster.CrashAsync(node));
        await TryAsync($"a node does nothing for {Pause.TotalSeconds} s", () => _cluster.PauseAsync((node + 1) % Cluster.Nodes, Pause));
        await TryAsync("Postgres crashes", async () =>
        {
            await _cluster.Postgres.CrashAsync();
            await Task.Delay(500);
            await _cluster.Postgres.StartAgainAsync();
        });
        await TryAsync("nodes are cut from Redis, ten times", async () =>
        {
            for (var i = 0; i < 10; i++)
            {
                _cluster.CutFromRedis();
                await Task.Delay(100);
            }
        });
        await TryAsync("all nodes are restarted in turn", async () =>
        {
            for (var i = 0; i < Cluster.Nodes; i++)
                await _cluster.RestartAsync(i);
        });
    }

    /// <summary>Lets something happen, and waits until every reader has everything that was acknowledged by its end.</summary>
    private async Task TryAsync(string fault, Func<Task> happen)
    {
        var before = (Updates: _writers.Sum(writer => writer.Acknowledged / 5), Messages: _published.Count);
        await happen();
        var (wanted, published) = (_writers.Select(writer => writer.Acknowledged).ToArray(), _published.Count);
        var clock = Stopwatch.StartNew();
        var messages = _subscribers.ToDictionary(
            one => one, one => _published.Keys.Count(key => key.StartsWith(one.Channel + "-", StringComparison.Ordinal)));
        await UntilAsync(() => HaveWritten(wanted) && _subscribers.TrueForAll(one => one.Reader.Messages.Length >= messages[one]));
        _table.Add($"{fault,-50} acknowledged meanwhile {_writers.Sum(writer => writer.Acknowledged / 5) - before.Updates,5} updates, {published - before.Messages,5} messages; healed after {clock.Elapsed.TotalSeconds,5:0.0} s");
    }

    private bool HaveEverything() =>
        HaveWritten([.. _writers.Select(writer => writer.Acknowledged)])
        && _subscribers.TrueForAll(one =>
        {
            var have = one.Reader.Messages.Select(message => message.Data).ToHashSet(StringComparer.Ordinal);
            return _published.Keys.Where(key => key.StartsWith(one.Channel + "-", StringComparison.Ordinal)).All(have.Contains);
        });

    private bool HaveWritten(uint[] wanted) => _readers.TrueForAll(reader =>
    {
        var clocks = reader.Clocks;
        return !_writers.Where((writer, i) => writer.Document == reader.Document && clocks.GetValueOrDefault(writer.ClientId) < wanted[i]).Any();
    });

    private async Task AssertDocumentsAreEqualAsync()
    {
        foreach (var document in _readers.GroupBy(reader => reader.Document))
        {
            var states = new List<byte[]>();
            foreach (var url in _cluster.Urls)
            {
                await using var client = TestClient.Create(url, null, HttpTransportType.WebSockets, messagePack: true);
                await client.Connection.StartAsync();
                using var doc = new Doc();
                doc.ApplyV1((await client.JoinAsync(document.Key)).Update);
                states.Add(doc.StateDiffV1(StateVector.Empty));
            }

            Assert.All(document, reader => Assert.Equal(states[0], reader.State));
            Assert.All(states, state => Assert.Equal(states[0], state));
            var clocks = StateVector.Decode(Updates.StateVectorV1(states[0]));
            Assert.All(
                _writers.Where(writer => writer.Document == document.Key),
                writer => Assert.InRange(clocks[writer.ClientId], writer.Acknowledged, uint.MaxValue));
        }
    }

    private void AssertChannelsAreWhole()
    {
        foreach (var (channel, way, reader) in _subscribers)
        {
            var messages = reader.Messages;
            Assert.False(reader.WasToldOfLoss, way);
            Assert.Equal(Enumerable.Range(1, messages.Length).Select(offset => (long)offset), messages.Select(message => message.Offset));
            Assert.Equal(messages.Length, messages.Select(message => message.Data).Distinct().Count());
            Assert.All(_published.Where(message => message.Key.StartsWith(channel + "-", StringComparison.Ordinal)), message =>
            {
                Assert.True(Position.TryParse(message.Value, out var position));
                Assert.Equal(message.Key, messages[position.Offset - 1].Data);
            });
        }
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        var deadline = DateTime.UtcNow + Patience;
        while (!condition())
        {
            if (DateTime.UtcNow > deadline)
                throw new TimeoutException("Not everybody has what was acknowledged.");
            await Task.Delay(100);
        }
    }
}
