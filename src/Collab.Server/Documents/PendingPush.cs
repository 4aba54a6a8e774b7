using System.Diagnostics;
using Collab.Protocol;
using Collab.Server.Operations;
using Collab.Server.Rooms;

namespace Collab.Server.Documents;

/// <summary>An update that waits to become durable. Whoever awaits it goes on, on the committing thread, once others were told.</summary>
internal sealed class PendingPush(byte[] update, DocumentMember writer, Position? onlyAfter = null) : TaskCompletionSource<Position>
{
    public NewLogEntry Entry { get; } = new(update, writer.UserId);

    /// <summary>It is committed only if the document is at this position until then; null in any case.</summary>
    public Position? OnlyAfter { get; } = onlyAfter;

    /// <summary>The connection that need not get it back; null when it is to.</summary>
    public string? ConnectionId { get; } = writer.Echoes ? null : writer.ConnectionId;

    /// <summary>When it was taken, by <see cref="Stopwatch.GetTimestamp"/>.</summary>
    public long Since { get; } = Stopwatch.GetTimestamp();

    /// <summary>The call that it came with.</summary>
    public ActivityContext Origin { get; } = CollabActivity.Origin;
}
