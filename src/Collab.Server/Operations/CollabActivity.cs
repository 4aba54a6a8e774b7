using System.Diagnostics;
using Collab.Server.Rooms;

namespace Collab.Server.Operations;

/// <summary>
/// What traces show between SignalR's own activity for a hub call and its effect: the commit, and the delivery on other nodes. Source
/// <c>Collab</c>. Nothing is made while nobody listens.
/// </summary>
internal static class CollabActivity
{
    public const string SourceName = "Collab";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>What a caller is doing now, to be taken up by the commit; nothing while nobody listens.</summary>
    public static ActivityContext Origin => Source.HasListeners() && Activity.Current is { } current ? current.Context : default;

    /// <summary>What is being done now, in the form of W3C Trace Context, for another node; null while nobody listens.</summary>
    public static string? TraceParent => Source.HasListeners() ? Activity.Current?.Id : null;

    /// <summary>A commit of what several callers have handed over: the child of the first one's call, linked to the others'.</summary>
    public static Activity? Commit(RoomKind kind, int entries, IEnumerable<ActivityContext> origins)
    {
        if (!Source.HasListeners())
            return null;
        var known = origins.Where(origin => origin != default).Distinct().ToArray();
        var activity = Source.StartActivity(
            "commit", ActivityKind.Internal, known.FirstOrDefault(), links: known.Skip(1).Select(origin => new ActivityLink(origin)));
        return activity?.SetTag("collab.room.kind", NameOf(kind)).SetTag("collab.entries", entries);
    }

    /// <summary>The delivery of what another node has said.</summary>
    public static Activity? Deliver(string? traceParent) =>
        traceParent is not null && ActivityContext.TryParse(traceParent, null, isRemote: true, out var parent)
            ? Source.StartActivity("deliver", ActivityKind.Consumer, parent)
            : null;

    private static string NameOf(RoomKind kind) => kind is RoomKind.Document ? "document" : "channel";
}
