using Collab.Testing;
using Microsoft.AspNetCore.Http.Connections;

namespace Collab.Host.Tests.Scaleout;

/// <summary>A client that is in a document or writes to a channel, and comes back, to any node, whenever it is cut off.</summary>
internal abstract class Participant(Cluster cluster, Random random, HttpTransportType transport)
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private TestClient? _client;

    protected HttpTransportType Transport => transport;

    /// <summary>Goes on until it is told to stop.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                _client ??= await ConnectAsync();
                await StepAsync(_client, stop);
                if (_client.IsClosed)
                    throw new IOException("It was cut off.");
            }
            catch (Exception exception) when (exception is not Xunit.Sdk.XunitException)
            {
                await LeaveAsync();
                await Task.WhenAny(Task.Delay(100, CancellationToken.None), Task.Delay(-1, stop));
            }
        }

        await LeaveAsync();
    }

    /// <summary>What is done with a new connection.</summary>
    protected abstract Task BeginAsync(TestClient client);

    /// <summary>The next thing that is done.</summary>
    protected abstract Task StepAsync(TestClient client, CancellationToken stop);

    private async Task<TestClient> ConnectAsync()
    {
        var client = TestClient.Create(cluster.Urls[random.Next(Cluster.Nodes)], null, Transport, Transport is not HttpTransportType.ServerSentEvents);
        try
        {
            await client.Connection.StartAsync().WaitAsync(Patience);
            await BeginAsync(client).WaitAsync(Patience);
            return client;
        }
        catch
        {
            await EndAsync(client);
            throw;
        }
    }

    private async Task LeaveAsync()
    {
        if (_client is { } client)
            await EndAsync(client);
        _client = null;
    }

    // A node that is paused does not say goodbye.
    private static async Task EndAsync(TestClient client) => await Task.WhenAny(client.DisposeAsync().AsTask(), Task.Delay(2_000));
}
