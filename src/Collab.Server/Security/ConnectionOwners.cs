using System.Collections.Concurrent;

namespace Collab.Server.Security;

/// <summary>
/// Whose SignalR's connection tokens are. To SignalR a connection token opens its connection to everybody who knows it; here it does so
/// to the user who negotiated it, and to nobody else.
/// </summary>
internal sealed class ConnectionOwners(TimeProvider clock)
{
    /// <summary>SignalR itself drops a connection that nobody has asked for in 15 seconds.</summary>
    private static readonly TimeSpan Forgotten = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, OwnedConnection> _connections = new(StringComparer.Ordinal);
    private long _swept = clock.GetTimestamp();

    /// <summary>A connection was negotiated.</summary>
    public void Add(string token, SignIn signIn)
    {
        Sweep();
        _connections[token] = new OwnedConnection(signIn, clock);
    }

    /// <summary>The connection, or null when there is none, or none any more.</summary>
    public OwnedConnection? Find(string token) => _connections.GetValueOrDefault(token);

    private void Sweep()
    {
        var swept = Volatile.Read(ref _swept);
        if (clock.GetElapsedTime(swept) < Forgotten / 4 || Interlocked.CompareExchange(ref _swept, clock.GetTimestamp(), swept) != swept)
            return;
        foreach (var (token, connection) in _connections)
        {
            if (connection.IsUnusedFor(Forgotten))
                _connections.TryRemove(token, out _);
        }
    }
}

/// <summary>One connection and its owner.</summary>
internal sealed class OwnedConnection(SignIn signIn, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private SignIn _signIn = signIn;
    private int _requests;
    private long _used = clock.GetTimestamp();

    /// <summary>As whom its owner signed in last.</summary>
    public SignIn SignIn
    {
        get => Volatile.Read(ref _signIn);
        set => Volatile.Write(ref _signIn, value);
    }

    public bool IsOf(SignIn other) => SignIn.Owner == other.Owner;

    /// <summary>A request for the connection begins.</summary>
    public void Enter()
    {
        lock (_gate)
            _requests++;
    }

    /// <summary>It has ended.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            _requests--;
            _used = clock.GetTimestamp();
        }
    }

    public bool IsUnusedFor(TimeSpan time)
    {
        lock (_gate)
            return _requests == 0 && clock.GetElapsedTime(_used) > time;
    }
}
