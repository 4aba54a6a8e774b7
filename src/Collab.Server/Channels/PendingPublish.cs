using System.Diagnostics;
using Collab.Protocol;
using Collab.Server.Operations;
using Collab.Server.Rooms;

namespace Collab.Server.Channels;

/// <summary>Messages that wait to become durable, all or none. Gives the position of each.</summary>
internal sealed class PendingPublish(IReadOnlyList<NewLogEntry> entries) : TaskCompletionSource<Position[]>
{
    public IReadOnlyList<NewLogEntry> Entries { get; } = entries;

    /// <inheritdoc cref="Documents.PendingPush.Since"/>
    public long Since { get; } = Stopwatch.GetTimestamp();

    /// <inheritdoc cref="Documents.PendingPush.Origin"/>
    public ActivityContext Origin { get; } = CollabActivity.Origin;

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
