using Collab.Server.Channels;
using Collab.Server.Documents;
using Collab.Server.Fanout;
using Collab.Server.Rooms;

namespace Collab.Server.Operations;

/// <summary>What a node has to do.</summary>
/// <param name="Connections">Open connections.</param>
/// <param name="Documents">Open documents.</param>
/// <param name="Channels">Open channels.</param>
/// <param name="Updates">Updates that it has committed since its start.</param>
/// <param name="Messages">Messages of channels that it has committed since its start.</param>
/// <param name="Deliveries">Messages that it has written to connections since its start.</param>
internal sealed record NodeLoad(long Connections, int Documents, int Channels, long Updates, long Messages, long Deliveries);

/// <summary>Tells the load of this node.</summary>
internal sealed class NodeLoadReader(CollabLifetimeManager connections, DocumentRooms documents, ChannelRooms channels, RoomMetrics rooms)
{
    public NodeLoad Read() => Read(connections.Count());

    public NodeLoad Read(FanoutTotals totals) => new(
        totals.Connections.Values.Sum(), documents.Count, channels.Count, rooms.Entries(RoomKind.Document), rooms.Entries(RoomKind.Channel), totals.Deliveries);
}
