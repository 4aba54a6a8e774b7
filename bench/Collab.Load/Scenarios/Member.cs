using Collab.Load.Protocols;
using Collab.Load.Servers;
using Collab.Load.Sockets;

namespace Collab.Load.Scenarios;

/// <summary>One client of one document. Each scenario derives what its members do with what they receive.</summary>
internal class Member : IWebSocketListener, IWireMember
{
    private readonly SocketLoop _loop;
    private readonly int _port;
    private readonly IWireProtocol _protocol;
    private WebSocketConnection? _connection;

    public Member(SocketLoop loop, ServerProcess server, string document)
    {
        (_loop, _port) = (loop, server.Port);
        _protocol = server.Kind.Protocol!(document, this);
    }

    /// <summary>The server would let it join.</summary>
    public bool IsReady { get; private set; }

    public bool IsJoined { get; private set; }

    public bool IsClosed => _connection is { IsClosed: true };

    /// <summary>The last thing that went wrong: what was refused, or why the connection ended.</summary>
    public string? Fault { get; private set; }

    public void Connect() => _connection = new WebSocketConnection(_loop, _port, _protocol.Path, this);

    public void Join() => _protocol.Join();

    public void Push(int index, ReadOnlySpan<byte> update) => _protocol.Push(index, update);

    public void KeepAlive() => _protocol.KeepAlive();

    public void Disconnect() => _connection?.Dispose();

    /// <summary>Connects and joins them all, a hundred at a time so that no listen queue overflows.</summary>
    /// <exception cref="InvalidOperationException">Not all could join.</exception>
    public static void JoinAll(SocketLoop loop, IReadOnlyList<Member> members)
    {
        foreach (var batch in members.Chunk(100))
        {
            ConnectAll(loop, batch);
            foreach (var member in batch)
                member.Join();
            Await(loop, batch, "joined", static member => member.IsJoined);
        }
    }

    /// <summary>Connects them all, up to where each may join.</summary>
    public static void ConnectAll(SocketLoop loop, IReadOnlyList<Member> members)
    {
        foreach (var member in members)
            member.Connect();
        Await(loop, members, "connected", static member => member.IsReady);
    }

    void IWebSocketListener.Opened() => _protocol.Opened();

    void IWebSocketListener.Received(ReadOnlySpan<byte> message) => _protocol.Received(message);

    void IWebSocketListener.Closed(string reason) => Fault = reason;

    void IWireMember.Send(ReadOnlySpan<byte> message) => _connection!.Send(message);

    void IWireMember.Ready() => IsReady = true;

    void IWireMember.Joined(ReadOnlySpan<byte> state)
    {
        IsJoined = true;
        OnUpdated(state);
    }

    void IWireMember.Updated(ReadOnlySpan<byte> update) => OnUpdated(update);

    void IWireMember.Acknowledged(int index) => OnAcknowledged(index);

    void IWireMember.Refused(string reason) => Fault = reason;

    /// <summary>The document's state after joining, and then each update.</summary>
    protected virtual void OnUpdated(ReadOnlySpan<byte> update)
    {
    }

    protected virtual void OnAcknowledged(int index)
    {
    }

    private static void Await(SocketLoop loop, IReadOnlyList<Member> members, string what, Func<Member, bool> condition)
    {
        if (loop.PollUntil(() => members.All(condition), TimeSpan.FromSeconds(30)))
            return;
        var missing = members.Where(member => !condition(member)).ToList();
        throw new InvalidOperationException(
            $"{missing.Count} of {members.Count} members have not {what}: {missing[0].Fault ?? "no answer"}");
    }
}
