using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Logging;

namespace Collab.Redis;

/// <summary>
/// This node as a member of the groups of the backplane: the one connection that stands for all of its clients. It takes what is sent
/// without waiting for anybody.
/// </summary>
internal sealed class NodeConnection : HubConnectionContext
{
    private readonly Action<string, ReadOnlyMemory<byte>> _received;

    public NodeConnection(NodeProtocol protocol, Action<string, ReadOnlyMemory<byte>> received, ILoggerFactory loggerFactory)
        : base(new DefaultConnectionContext(Guid.NewGuid().ToString("N")), new HubConnectionContextOptions(), loggerFactory)
    {
        _received = received;
        Protocol = protocol;
    }

    public override ValueTask WriteAsync(SerializedHubMessage message, CancellationToken cancellationToken = default)
    {
        var (group, body) = NodeProtocol.Read(message.GetSerializedMessage(Protocol));
        _received(group, body);
        return default;
    }

    public override ValueTask WriteAsync(HubMessage message, CancellationToken cancellationToken = default) =>
        WriteAsync(new SerializedHubMessage(message), cancellationToken);
}
