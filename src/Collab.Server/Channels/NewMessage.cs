using Collab.Protocol;
using Collab.Server.Rooms;

namespace Collab.Server.Channels;

/// <summary>A message as it was handed in.</summary>
/// <param name="Event">What kind of message it is.</param>
/// <param name="Data">Any JSON value; null is JSON's null.</param>
/// <param name="Key">What tells a repeat of it; null when repeats are messages of their own.</param>
internal sealed record NewMessage(string? Event, JsonData? Data, string? Key)
{
    /// <summary>Names that begin so are the server's own.</summary>
    public const string ReservedPrefix = "collab:";

    /// <summary>The message for the log.</summary>
    /// <exception cref="CollabException">It is not allowed in the namespace.</exception>
    public NewLogEntry ToEntry(ChannelNamespace space, string? author)
    {
        if (!EventName.IsValid(Event))
            throw Invalid($"an event name is 1 to {EventName.MaxLength} characters and has no control characters");
        if (Event!.StartsWith(ReservedPrefix, StringComparison.Ordinal))
            throw Invalid($"event names that begin with {ReservedPrefix} are the server's own");
        if (Key is not null && !EventName.IsValid(Key))
            throw Invalid($"an idempotency key is 1 to {EventName.MaxLength} characters and has no control characters");
        var data = Data ?? JsonData.Null;
        if (data.Fault is { } fault)
            throw Invalid($"data: {fault}");
        if (data.Utf8.Length > space.MaxMessageBytes)
            throw new CollabException(ErrorCodes.TooLarge, $"the data of a message is at most {space.MaxMessageBytes} bytes of JSON here");
        return new NewLogEntry(
            ChannelEntry.Encode(Event!, Key, data.Utf8.Span),
            author,
            Key is null ? null : new AppendKey(Key, TimeSpan.FromSeconds(space.IdempotencySeconds)));
    }

    private static CollabException Invalid(string why) => new(ErrorCodes.InvalidMessage, why);
}
