namespace Collab.Server.Events;

/// <summary>A sink with what it is to get.</summary>
internal sealed record EventSinkRegistration(string Name, EventSubscription Subscription, IEventSink Sink)
{
    private const int MaxNameLength = 64;

    public static bool IsName(string? name) =>
        name is { Length: > 0 and <= MaxNameLength } && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}
