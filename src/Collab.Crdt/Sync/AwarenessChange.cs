namespace Collab.Crdt;

/// <summary>What an <see cref="Awareness"/> tells its handlers.</summary>
/// <param name="Added">Clients that have come.</param>
/// <param name="Updated">Clients that say something else, or for updates, that were heard of again.</param>
/// <param name="Removed">Clients that have gone; the local one also when others said so in error.</param>
/// <param name="Origin"><see cref="Awareness.LocalOrigin"/>, <see cref="Awareness.TimeoutOrigin"/>, or what the caller gave.</param>
public readonly record struct AwarenessChange(
    IReadOnlyList<ulong> Added, IReadOnlyList<ulong> Updated, IReadOnlyList<ulong> Removed, object? Origin)
{
    /// <summary>All of them.</summary>
    public IReadOnlyList<ulong> Clients => [.. Added, .. Updated, .. Removed];
}

/// <summary>The handlers of one event, in the order in which they came. They may come and go at any time, also from a handler.</summary>
internal sealed class AwarenessObservers
{
    private readonly Lock _lock = new();
    private Subscription[] _all = [];

    public IDisposable Add(Action<AwarenessChange> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var subscription = new Subscription(this, handler);
        lock (_lock)
            _all = [.. _all, subscription];
        return subscription;
    }

    public void Call(in AwarenessChange change)
    {
        foreach (var subscription in _all)
            subscription.Handler(change);
    }

    public void Clear()
    {
        lock (_lock)
            _all = [];
    }

    private void Remove(Subscription subscription)
    {
        lock (_lock)
            _all = [.. _all.Where(other => other != subscription)];
    }

    private sealed class Subscription(AwarenessObservers observers, Action<AwarenessChange> handler) : IDisposable
    {
        public Action<AwarenessChange> Handler { get; } = handler;

        public void Dispose() => observers.Remove(this);
    }
}
