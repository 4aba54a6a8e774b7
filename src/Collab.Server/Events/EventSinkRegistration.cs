namespace Collab.Server.Events;

/// <summary>A sink that was added, with what it is to get.</summary>
internal sealed record EventSinkRegistration(string Name, EventSubscription Subscription, Func<IServiceProvider, IEventSink> Create)
{
    private const int MaxNameLength = 64;

    public static bool IsName(string? name) =>
        name is { Length: > 0 and <= MaxNameLength } && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}

/// <summary>The sinks of this node.</summary>
internal sealed class EventSinks : IAsyncDisposable
{
    private readonly Dictionary<string, Lazy<IEventSink>> _sinks = new(StringComparer.Ordinal);

    /// <exception cref="InvalidOperationException">Two sinks have one name.</exception>
    public EventSinks(IEnumerable<EventSinkRegistration> registrations, IServiceProvider services)
    {
        All = [.. registrations];
        foreach (var registration in All)
        {
            if (!_sinks.TryAdd(registration.Name, new Lazy<IEventSink>(() => registration.Create(services))))
                throw new InvalidOperationException($"Two event sinks are named {registration.Name}; give each a Name of its own.");
        }
    }

    public IReadOnlyList<EventSinkRegistration> All { get; }

    /// <summary>The sink of a registration; made when it is needed first.</summary>
    public IEventSink this[string name] => _sinks[name].Value;

    public bool Has(string name) => _sinks.ContainsKey(name);

    public bool Wants(string type, string room)
    {
        foreach (var sink in All)
        {
            if (sink.Subscription.Wants(type, room))
                return true;
        }

        return false;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var sink in _sinks.Values.Where(sink => sink.IsValueCreated).Select(sink => sink.Value))
        {
            if (sink is IAsyncDisposable asynchronous)
                await asynchronous.DisposeAsync();
            else
                (sink as IDisposable)?.Dispose();
        }
    }
}
