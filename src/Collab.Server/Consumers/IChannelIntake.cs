namespace Collab.Server.Consumers;

/// <summary>
/// Publishes what a consumer reads from a bus into channels. A consumer acknowledges to its bus what has been published or refused here; what
/// it has not acknowledged may come again, and is published once.
/// </summary>
public interface IChannelIntake
{
    /// <summary>
    /// Publishes messages; those of one channel in order. They are durable when this returns. A consumer that hands over messages in the order of its
    /// bus, and after a failure begins again with the oldest that it has not acknowledged, keeps that order in each channel.
    /// </summary>
    /// <param name="consumer">Who has read them, and what it makes of them.</param>
    /// <param name="messages">One or more messages.</param>
    /// <param name="cancellationToken">Gives up waiting; what was handed over may still be published.</param>
    /// <returns>For each message null when it is published, now or before; else a sentence that says why it never will be.</returns>
    /// <exception cref="CollabException"><c>unavailable</c> or <c>rate_limited</c>: not all could be published; hand the same messages over again later.</exception>
    Task<IReadOnlyList<string?>> PublishAsync(
        ConsumerOptions consumer, IReadOnlyList<ConsumedMessage> messages, CancellationToken cancellationToken);
}

/// <summary>A message as it was read from a bus.</summary>
/// <param name="Id">What the bus knows it by, the same whenever it comes again; null when the bus does not.</param>
/// <param name="Field">Reads one of its fields or headers; null when it has none of that name.</param>
/// <param name="Data">The JSON of the message to publish, in UTF-8; null when there is none.</param>
public sealed record ConsumedMessage(string? Id, Func<string, string?> Field, ReadOnlyMemory<byte>? Data);
