using System.Collections.Concurrent;
using Collab.Testing;
using Microsoft.AspNetCore.Http.Connections;

namespace Collab.Host.Tests.Durability;

/// <summary>
/// Writers over every transport who share two documents: each types the next word as soon as the last one is acknowledged, until his
/// connection ends.
/// </summary>
internal sealed class Traffic
{
    private static readonly string[] Documents = ["traffic/1", "traffic/2"];

    private static readonly (HttpTransportType Transport, bool MessagePack)[] Wires =
    [
        (HttpTransportType.WebSockets, true),
        (HttpTransportType.ServerSentEvents, false),
        (HttpTransportType.LongPolling, true),
    ];

    private static int _typists;

    private readonly List<Task> _writing = [];
    private readonly SemaphoreSlim _acknowledged = new(0);

    /// <summary>The writers' connections.</summary>
    public List<TestClient> Clients { get; } = [];

    /// <summary>What was acknowledged: for each writer his document and how much of his text.</summary>
    public ConcurrentDictionary<Typist, (string Document, uint Length)> Acknowledged { get; } = new();

    /// <summary>Connects the writers and lets them type.</summary>
    public static async Task<Traffic> StartAsync(HostProcess host)
    {
        var traffic = new Traffic();
        foreach (var document in Documents)
        {
            foreach (var (transport, messagePack) in Wires)
            {
                var client = await host.ConnectAsync(transport: transport, messagePack: messagePack);
                await client.JoinAsync(document);
                traffic.Clients.Add(client);
                traffic._writing.Add(Task.Run(() => traffic.TypeAsync(client, document)));
            }
        }

        return traffic;
    }

    /// <summary>Waits for so many more acknowledgements.</summary>
    public async Task UntilAcknowledgedAsync(int count)
    {
        for (; count > 0; count--)
            Assert.True(await _acknowledged.WaitAsync(TimeSpan.FromSeconds(20)), "nothing is acknowledged any more");
    }

    /// <summary>Waits until every writer has noticed that his connection has ended.</summary>
    public Task EndedAsync() => Task.WhenAll(_writing).WaitAsync(TimeSpan.FromSeconds(60));

    /// <summary>Asserts that a server has all that was acknowledged, in all those who typed at it.</summary>
    public static async Task AssertKeptAsync(HostProcess host, params IEnumerable<Traffic> traffic)
    {
        var client = await host.ConnectAsync();
        foreach (var document in Documents)
        {
            var update = (await client.JoinAsync(document)).Update;
            foreach (var (typist, acknowledged) in traffic.SelectMany(one => one.Acknowledged).Where(one => one.Value.Document == document))
                Assert.InRange(typist.Read(update), acknowledged.Length, typist.Clock);
        }
    }

    private async Task TypeAsync(TestClient client, string document)
    {
        var typist = new Typist((ulong)Interlocked.Increment(ref _typists));
        while (true)
        {
            try
            {
                await client.PushAsync(document, typist.Type("word "));
            }
            catch (Exception)
            {
                await client.UntilAsync(self => self.IsClosed);
                return;
            }

            Acknowledged[typist] = (document, typist.Clock);
            _acknowledged.Release();
        }
    }
}
