namespace Collab.Server.Events;

/// <summary>Where events go: a webhook, a stream, a queue. Events of one room are handed over one batch after the other, in order; those of different rooms at the same time.</summary>
public interface IEventSink
{
    /// <summary>At most so many events of one room are handed over at once.</summary>
    int MaxBatch { get; }

    /// <summary>Sends events of one room, in order; completes when the other side has them for good. An exception means that it failed and is tried again.</summary>
    ValueTask<EventOutcome> SendAsync(IReadOnlyList<OutgoingEvent> events, CancellationToken cancellationToken);
}

/// <summary>An event on its way out.</summary>
/// <param name="Id">The same at every attempt.</param>
/// <param name="Type">What has happened, such as <c>collab.document.changed</c>.</param>
/// <param name="Source">Who tells of it.</param>
/// <param name="Subject">The room's name, such as <c>documents/acme/plan</c> or <c>channels/chat</c>.</param>
/// <param name="Time">When it happened.</param>
/// <param name="Json">The whole CloudEvent 1.0 as JSON (structured mode), in UTF-8.</param>
public sealed record OutgoingEvent(string Id, string Type, string Source, string Subject, DateTimeOffset Time, ReadOnlyMemory<byte> Json);

/// <summary>What came of sending.</summary>
public abstract record EventOutcome
{
    /// <summary>The other side has them for good.</summary>
    public static EventOutcome Delivered { get; } = new Done();

    /// <summary>It is tried again.</summary>
    public static EventOutcome Failed(string reason, TimeSpan? retryAfter = null) => new Failure(reason, retryAfter);

    /// <summary>This one will never be taken.</summary>
    public static EventOutcome Refused(string reason) => new Refusal(reason);

    internal sealed record Done : EventOutcome;

    internal sealed record Failure(string Reason, TimeSpan? RetryAfter) : EventOutcome;

    internal sealed record Refusal(string Reason) : EventOutcome;
}
