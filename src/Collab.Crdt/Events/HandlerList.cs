namespace Collab.Crdt;

/// <summary>The handlers of one event, called in the order in which they were added. Adding and removing while they run is safe.</summary>
internal sealed class HandlerList<T>
{
    private Action<T>[] _handlers = [];

    public bool IsEmpty => _handlers.Length == 0;

    /// <summary>Adds a handler; disposing the result removes it.</summary>
    public IDisposable Add(Action<T> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        _handlers = [.. _handlers, handler];
        return new Subscription(this, handler);
    }

    /// <summary>Calls every handler, also after one has thrown; what they throw is added to <paramref name="failures"/>.</summary>
    public void Invoke(T argument, ref List<Exception>? failures)
    {
        foreach (var handler in _handlers)
        {
            try
            {
                handler(argument);
            }
#pragma warning disable CA1031 // A handler that throws must not stop the others, nor leave the document half done; it is thrown on in the end.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                (failures ??= []).Add(failure);
            }
        }
    }

    private sealed class Subscription(HandlerList<T> list, Action<T> handler) : IDisposable
    {
        private HandlerList<T>? _list = list;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _list, null) is not { } from)
                return;
            var at = Array.IndexOf(from._handlers, handler);
            if (at >= 0)
                from._handlers = [.. from._handlers[..at], .. from._handlers[(at + 1)..]];
        }
    }
}
