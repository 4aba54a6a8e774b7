using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Collab.Server.Fanout.Sockets;

/// <summary>
/// A connection whose output goes straight to its socket. Where this is what the server writes to, with nothing before it that changes the bytes (such
/// as TLS), the socket may also be written to past it, as long as nothing else writes: a flush leaves nothing behind. And there an upgraded request may
/// take the connection over: the server's HTTP ends, and the connection goes on without it.
/// </summary>
/// <param name="connection">The connection.</param>
/// <param name="inner">Its transport as Kestrel made it.</param>
/// <param name="socket">Its socket.</param>
internal sealed class SocketDuplex(ConnectionContext connection, IDuplexPipe inner, Socket socket) : IDuplexPipe, IConnectionHeartbeatFeature
{
    private readonly IConnectionHeartbeatFeature? _heartbeat = connection.Features.Get<IConnectionHeartbeatFeature>();
    private readonly SocketOutput _output = new(inner.Output, socket, connection.Abort);
    private TaskCompletionSource? _httpEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Action? _beat;
    private Task? _successor;

    public PipeReader Input => inner.Input;

    public PipeWriter Output => _output;

    public Socket Socket => socket;

    /// <summary>The connection itself.</summary>
    public ConnectionContext Connection => connection;

    /// <summary>Completes when the server's HTTP has ended and the connection goes on: nobody reads or writes then.</summary>
    public Task HttpEnded => _httpEnded?.Task ?? Task.CompletedTask;

    /// <summary>Serves the connection: HTTP, and then whoever took it over.</summary>
    /// <param name="http">The server's HTTP.</param>
    public async Task RunAsync(ConnectionDelegate http)
    {
        connection.Transport = this;
        connection.Features.Set<IConnectionHeartbeatFeature>(this);
        try
        {
            await http(connection);
        }
        finally
        {
            // What the server keeps up for HTTP, such as its timeouts, would hold all of it.
            _beat = null;
            _httpEnded!.SetResult();
            _httpEnded = null;
        }

        if (_successor is { } successor)
            await successor;
    }

    /// <summary>Takes the connection over from the server's HTTP, which ends when the request has that this is called from.</summary>
    /// <param name="successor">Ends when the connection is to end.</param>
    public void TakeOver(Task successor)
    {
        _successor = successor;
        _output.IsKept = true;
    }

    void IConnectionHeartbeatFeature.OnHeartbeat(Action<object> action, object state)
    {
        var isFirst = _beat is null;
        _beat += () => action(state);
        if (isFirst)
            _heartbeat?.OnHeartbeat(static connection => ((SocketDuplex)connection)._beat?.Invoke(), this);
    }
}
