using Collab.Protocol;
using Collab.Server.Rooms;

namespace Collab.Server.Channels;

/// <summary>Messages that wait to become durable, all or none. Gives the position of each.</summary>
internal sealed class PendingPublish(IReadOnlyList<NewLogEntry> entries) : TaskCompletionSource<Position[]>
{
    public IReadOnlyList<NewLogEntry> Entries { get; } = entries;

    public int Bytes
    {
        get
        {
            var bytes = 0;
            for (var i = 0; i < Entries.Count; i++)
                bytes += Entries[i].Data.Length;
            return bytes;
        }
    }
}
