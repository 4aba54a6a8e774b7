using Collab.Server.Security;

namespace Collab.Server.Events;

/// <summary>Which events a sink gets, and how. Bound from configuration beside a sink's own settings.</summary>
public sealed class EventSubscription
{
    /// <summary>The types, such as <c>document.changed</c> or <c>channel.*</c>; empty for all. See <see cref="EventTypes"/>.</summary>
    public IList<string> Events { get; } = [];

    /// <summary>The names of documents and channels, such as <c>acme/*</c>; empty for all.</summary>
    public IList<string> Rooms { get; } = [];

    /// <summary>
    /// So long after the last change of a document, or the last message of a channel, what has changed is told in one event, in milliseconds. 0 (the
    /// default) tells it at once.
    /// </summary>
    public int DebounceMilliseconds { get; set; }

    /// <summary>However much goes on, it is told so long after the first change, in milliseconds. Default 10,000.</summary>
    public int DebounceAtMostMilliseconds { get; set; } = 10_000;

    /// <summary>Whether an event has what was changed: a document's update, a channel's messages. Without it a receiver asks for it when it wants to know. Default true.</summary>
    public bool IncludeContent { get; set; } = true;

    internal bool Wants(string type, string room) => IsAny(Events, type) && IsAny(Rooms, room);

    /// <summary>What is wrong with it, as a sentence.</summary>
    /// <param name="section">Where it stands in the configuration.</param>
    /// <returns>Null when nothing is.</returns>
    public string? Fault(string section) =>
        DebounceMilliseconds is < 0 or > 3_600_000 ? $"{section}:DebounceMilliseconds must be 0 to 3600000 milliseconds."
        : DebounceAtMostMilliseconds < DebounceMilliseconds || DebounceAtMostMilliseconds > 3_600_000 ? $"{section}:DebounceAtMostMilliseconds must be DebounceMilliseconds to 3600000 milliseconds."
        : Events.FirstOrDefault(pattern => !All.Any(type => Grant.Matches(pattern, type))) is { } unknown ? $"{section}:Events has {unknown}, which is none of: {string.Join(", ", All)}."
        : null;

    private static readonly string[] All =
    [
        EventTypes.DocumentChanged, EventTypes.DocumentStored, EventTypes.DocumentJoined, EventTypes.DocumentLeft, EventTypes.VersionMade,
        EventTypes.ChannelPublished, EventTypes.ChannelOccupied, EventTypes.ChannelVacated, EventTypes.MemberJoined, EventTypes.MemberLeft,
    ];

    private static bool IsAny(IList<string> patterns, string name)
    {
        for (var i = 0; i < patterns.Count; i++)
        {
            if (Grant.Matches(patterns[i], name))
                return true;
        }

        return patterns.Count == 0;
    }
}
