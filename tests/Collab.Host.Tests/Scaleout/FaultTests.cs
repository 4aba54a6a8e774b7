using System.Collections.Concurrent;
using System.Diagnostics;
using Collab.Crdt;
using Collab.Host.Tests.Channels;
using Collab.Protocol;
using Collab.Testing;
using Collab.Testing.Readers;
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
    private readonly FaultTable _table = new();
    private readonly CancellationTokenSource _writing = new();
    private readonly CancellationTokenSource _reading = new();
    private Cluster _cluster = null!;

    public async Task InitializeAsync() => _cluster = await Cluster.StartAsync();

    public async Task DisposeAsync()
    {
        output.WriteLine(_table.ToString());
        await _writing.CancelAsync();
        await _reading.CancelAsync();
        _readers.ForEach(reader => reader.Dispose());
        await _cluster.DisposeAsync();
        _writing.Dispose();
        _reading.Dispose();
    }

    [Fact]
    public async Task Whatever_happens_to_nodes_Redis_and_Postgres_nothing_is_lost_or_doubled()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var (writers, readers) = Begin(new Random(seed), _writing.Token, _reading.Token);
        await UntilAsync(() => _writers.TrueForAll(writer => writer.Acknowledged > 0) && !_published.IsEmpty);

        for (var round = 0; round < Rounds; round++)
            await TryFaultsAsync(round);

        await _writing.CancelAsync();
        await Task.WhenAll(writers);
        await UntilAsync(HaveEverything);
        await Task.Delay(500); // What is doubled may come late.
        await _reading.CancelAsync();
        await Task.WhenAll(readers);
        output.WriteLine($"acknowledged: {_writers.Sum(writer => writer.Acknowledged / 5)} updates, {_published.Count} messages");

        await AssertDocumentsAreEqualAsync();
        AssertChannelsAreWhole();
        await AssertNothingIsLeftAsync();
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
        await TryAsync("clients are cut off, ten times", async () =>
        {
            for (var i = 0; i < 10; i++)
            {
                _cluster.CutClients();
                await Task.Delay(100);
            }
        });
        await TryAsync("three readers stop reading, their outboxes overflow", () => OverflowAsync(round));
        await TryAsync("a node's clock is a minute ahead, then a minute behind", async () =>
        {
            await _cluster.SkewClockAsync(node, TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(2));
            await _cluster.SkewClockAsync(node, TimeSpan.FromMinutes(-1), TimeSpan.FromSeconds(2));
        });
        await TryAsync("all nodes are restarted in turn", async () =>
        {
            for (var i = 0; i < Cluster.Nodes; i++)
                await _cluster.RestartAsync(i);
        });
    }

    /// <summary>Members on one node stop reading while much is written on another. The others get all of it, and so do they, or are sent away.</summary>
    private async Task OverflowAsync(int round)
    {
        const int Updates = 4_000;
        await using var members = new StalledReaders($"fault/overflow/{round}");
        await members.JoinAsync(HubOf(round), healthy: 3, stalled: 3);
        await members.PushAsync(HubOf(round + 1), Updates, bytes: 2_048);
        await members.ResumeAsync(Updates, within: TimeSpan.FromSeconds(20));
        Assert.InRange(members.FewestReceived, Updates, int.MaxValue); // Of a document's updates one may come twice: nobody notices.
        Assert.All(members.Outcomes, outcome => Assert.True(outcome is "caught up" or "closed", outcome));
    }

    private Uri HubOf(int node) => new($"http://127.0.0.1:{_cluster.Ports[node % Cluster.Nodes]}{HubContract.Path}");

    /// <summary>Lets something happen, and waits until every reader has everything that was acknowledged by its end.</summary>
    private async Task TryAsync(string fault, Func<Task> happen)
    {
        var before = (Updates: _writers.Sum(writer => writer.Acknowledged / 5), Messages: _published.Count);
        await happen();
        var wanted = _writers.Select(writer => writer.Acknowledged).ToArray();
        var clock = Stopwatch.StartNew();
        var messages = _subscribers.ToDictionary(
            one => one, one => _published.Keys.Count(key => key.StartsWith(one.Channel + "-", StringComparison.Ordinal)));
        await UntilAsync(
            () => HaveWritten(wanted) && _subscribers.TrueForAll(one => one.Reader.Messages.Length >= messages[one]),
            () => string.Join('\n', [
                .. _readers.SelectMany(reader => Lacking(reader, wanted)),
                .. _subscribers.Where(one => one.Reader.Messages.Length < messages[one])
                    .Select(one => $"{one.Channel} by {one.Way}: {one.Reader.Messages.Length} of {messages[one]} messages, connected {one.Reader.Connects} times")]));
        _table.Add(fault, _writers.Sum(writer => writer.Acknowledged / 5) - before.Updates, _published.Count - before.Messages, clock.Elapsed);
    }

    private bool HaveEverything() =>
        HaveWritten([.. _writers.Select(writer => writer.Acknowledged)])
        && _subscribers.TrueForAll(one =>
        {
            var have = one.Reader.Messages.Select(message => message.Data).ToHashSet(StringComparer.Ordinal);
            return _published.Keys.Where(key => key.StartsWith(one.Channel + "-", StringComparison.Ordinal)).All(have.Contains);
        });

    private bool HaveWritten(uint[] wanted) => _readers.TrueForAll(reader => !Lacking(reader, wanted).Any());

    /// <summary>What a reader does not have of what the writers have written.</summary>
    private IEnumerable<string> Lacking(DocumentReader reader, uint[] wanted)
    {
        var clocks = reader.Clocks;
        return _writers.Zip(wanted)
            .Where(one => one.First.Document == reader.Document && clocks.GetValueOrDefault(one.First.ClientId) < one.Second)
            .Select(one => $"{reader}: {clocks.GetValueOrDefault(one.First.ClientId)} of {one.Second} code units of writer {one.First.ClientId}");
    }

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

    /// <summary>Once the clients are gone, nothing waits for anybody and the memory is back.</summary>
    private async Task AssertNothingIsLeftAsync()
    {
        for (var node = 0; node < Cluster.Nodes; node++)
        {
            var status = await _cluster.StatusAsync(node);
            for (var left = 50; left > 0 && status.GetProperty("load").GetProperty("connections").GetInt64() > 0; left--)
            {
                await Task.Delay(100);
                status = await _cluster.StatusAsync(node);
            }

            var memory = status.GetProperty("memoryBytes").GetInt64() >> 20;
            output.WriteLine($"node {node} at the end: {memory} MB");
            Assert.Equal(0, status.GetProperty("load").GetProperty("connections").GetInt64());
            Assert.Equal(0, status.GetProperty("waitingBytes").GetInt64());
            Assert.InRange(memory, 1, 512);
        }
    }

    private static async Task UntilAsync(Func<bool> condition, Func<string>? lacking = null)
    {
        var deadline = DateTime.UtcNow + Patience;
        while (!condition())
        {
            if (DateTime.UtcNow > deadline)
                throw new TimeoutException($"Not everybody has what was acknowledged. {lacking?.Invoke()}");
            await Task.Delay(100);
        }
    }
}
