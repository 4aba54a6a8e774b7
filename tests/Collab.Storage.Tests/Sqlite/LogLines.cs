using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Collab.Storage.Sqlite;

/// <summary>Keeps the ids of what is logged.</summary>
internal sealed class LogLines<T> : ILogger<T>
{
    private readonly ConcurrentQueue<int> _eventIds = new();

    public IEnumerable<int> EventIds => _eventIds;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _eventIds.Enqueue(eventId.Id);
}
