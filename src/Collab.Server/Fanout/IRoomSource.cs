using Microsoft.AspNetCore.SignalR.Protocol;

namespace Collab.Server.Fanout;

/// <summary>Where an outbox gets what its member missed in one room.</summary>
internal interface IRoomSource
{
    /// <summary>
    /// Whether a member who is being written to is given the rest when he is free again, by <see cref="ReadAfterAsync"/>, rather than
    /// each message: it can make less of it than the messages were.
    /// </summary>
    bool IsServedWhenFree => false;

    /// <summary>
    /// Makes one message of what the log holds after <paramref name="after"/>, or of its first part.
    /// Its last argument is an <see cref="IRoomFrame"/> that says how far it reaches.
    /// </summary>
    /// <returns>Null when the log holds nothing after it.</returns>
    /// <exception cref="Rooms.RoomLogUnavailableException">The log cannot be read now.</exception>
    ValueTask<CatchUpMessage?> ReadAfterAsync(long after, CancellationToken cancellationToken);

    /// <summary>What is not logged but latest-wins (awareness), as one message; null when there is none.</summary>
    InvocationMessage? ReadLatest();
}

/// <summary>A message read from the log for a member who fell behind.</summary>
/// <param name="Message">The message.</param>
/// <param name="Through">The offset that it brings the member to.</param>
internal readonly record struct CatchUpMessage(InvocationMessage Message, long Through);
