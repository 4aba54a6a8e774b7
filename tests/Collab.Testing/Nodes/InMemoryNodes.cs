using Collab.Server;
using Collab.Server.Rooms;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Testing.Nodes;

/// <summary>Nodes in this process that have one store in memory and one network.</summary>
public sealed class InMemoryNodes : IAsyncDisposable
{
    private readonly InMemoryRoomLog _log = new(TimeProvider.System);
    private readonly List<CollabTestHost> _started = [];

    /// <summary>What connects them.</summary>
    public InMemoryNetwork Network { get; } = new();

    /// <summary>Starts one more node; it ends with the others, unless it has ended before.</summary>
    /// <param name="settings">Its configuration.</param>
    public Task<CollabTestHost> StartAsync(params (string Key, string Value)[] settings) => StartAsync(static _ => { }, settings);

    /// <inheritdoc cref="StartAsync(ValueTuple{string, string}[])"/>
    /// <param name="configure">Adds what the test is about.</param>
    /// <param name="settings">Its configuration.</param>
    public async Task<CollabTestHost> StartAsync(Action<ICollabBuilder> configure, params (string Key, string Value)[] settings)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var host = await CollabTestHost.StartAsync(settings, collab =>
        {
            collab.Services.AddSingleton<IRoomLog>(_log);
            collab.Services.AddSingleton(Network.Connect());
            configure(collab);
        });
        _started.Add(host);
        return host;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _started)
            await host.DisposeAsync();
    }
}
