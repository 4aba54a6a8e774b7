namespace Collab.Server.Events;

/// <summary>
/// Where events go: a webhook, a queue, a topic. Added with <c>AddEventSink</c>. Events wait in the store's outbox until their sink has taken
/// them; the events of one room (a document or a channel) come one after the other, those of several rooms at the same time.
/// </summary>
/// <remarks>Each event comes at least once: again, with the same <see cref="OutgoingEvent.Id"/>, when it is not known whether it has arrived.</remarks>
public interface IEventSink
{
    /// <summary>At most so many events are handed over at once, all of one room.</summary>
    int MaxBatch { get; }

    /// <summary>
    /// Sends events of one room, in this order. Completes when the other side has them for good. All share one outcome: if they are not delivered
    /// all come again. What throws has failed and is tried again.
    /// </summary>
    /// <param name="events">The events, at least one.</param>
    /// <param name="cancellationToken">Gives up: it takes too long, or the server stops.</param>
    ValueTask<EventOutcome> SendAsync(IReadOnlyList<OutgoingEvent> events, CancellationToken cancellationToken);
}

/// <summary>An event on its way to a sink.</summary>
/// <param name="Id">The same at every attempt, and no other event's.</param>
/// <param name="Type">What has happened, such as <c>collab.document.changed</c>; see <see cref="EventTypes"/>.</param>
/// <param name="Source">Which installation tells it: CloudEvents' <c>source</c>, from <see cref="EventOptions.Source"/>.</param>
/// <param name="Subject">Where it has happened: <c>documents/</c> or <c>channels/</c> and the room's name. The events of one subject are in order.</param>
/// <param name="Time">When it became durable.</param>
/// <param name="Json">The whole event as CloudEvents 1.0 in JSON (structured mode), in UTF-8.</param>
public sealed record OutgoingEvent(string Id, string Type, string Source, string Subject, DateTimeOffset Time, ReadOnlyMemory<byte> Json);

/// <summary>How sending events has ended.</summary>
public sealed class EventOutcome
{
    private EventOutcome(EventOutcomeKind kind, string reason, TimeSpan? retryAfter = null) => (Kind, Reason, RetryAfter) = (kind, reason, retryAfter);

    /// <summary>The other side has them.</summary>
    public static EventOutcome Delivered { get; } = new(EventOutcomeKind.Delivered, "");

    internal EventOutcomeKind Kind { get; }

    internal string Reason { get; }

    internal TimeSpan? RetryAfter { get; }

    /// <summary>What it is, and why, for logs.</summary>
    public override string ToString() => Reason.Length == 0 ? Kind.ToString() : $"{Kind}: {Reason}";

    /// <summary>It has failed, and is tried again.</summary>
    /// <param name="reason">Why, for the operator.</param>
    /// <param name="retryAfter">When the other side has asked to be left alone: for how long. Until then it gets no event at all.</param>
    public static EventOutcome Failed(string reason, TimeSpan? retryAfter = null) => new(EventOutcomeKind.Failed, reason, retryAfter);

    /// <summary>The other side will never take these: they become dead letters at once.</summary>
    /// <param name="reason">Why, for the operator.</param>
    public static EventOutcome Refused(string reason) => new(EventOutcomeKind.Refused, reason);

    /// <summary>The other side wants no events any more: nothing is sent to it until an operator enables it again.</summary>
    /// <param name="reason">Why, for the operator.</param>
    public static EventOutcome Gone(string reason) => new(EventOutcomeKind.Gone, reason);
}

internal enum EventOutcomeKind
{
    Delivered,
    Failed,
    Refused,
    Gone,
}
