using Collab.Protocol;
using Collab.Server.Rooms;

namespace Collab.Server.Tests.Channels;

/// <summary>A log in memory whose reads wait for the test, or fail as a store does that cannot be used now.</summary>
internal sealed class GatedRoomLog : IRoomLog
{
    private readonly InMemoryRoomLog _log = new(TimeProvider.System);

    /// <summary>What reads wait for.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    /// <summary>Completes when somebody waits at the gate.</summary>
    public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsBroken { get; set; }

    public ValueTask<LogAppend> AppendAsync(RoomKey room, IReadOnlyList<NewLogEntry> entries, CancellationToken cancellationToken) =>
        _log.AppendAsync(room, entries, cancellationToken);

    public ValueTask<IReadOnlyList<LogAppend>?> AppendAsync(IReadOnlyList<RoomAppend> appends, CancellationToken cancellationToken) =>
        _log.AppendAsync(appends, cancellationToken);

    public async ValueTask<LogPage> ReadAsync(
        RoomKey room, long after, int maxEntries, long maxBytes, CancellationToken cancellationToken)
    {
        await PassAsync();
        return await _log.ReadAsync(room, after, maxEntries, maxBytes, CancellationToken.None);
    }

    public async ValueTask<LogPage> ReadBeforeAsync(
        RoomKey room, long before, int maxEntries, long maxBytes, CancellationToken cancellationToken)
    {
        await PassAsync();
        return await _log.ReadBeforeAsync(room, before, maxEntries, maxBytes, CancellationToken.None);
    }

    public async ValueTask<IReadOnlyList<Position>> ReadHeadsAsync(IReadOnlyList<RoomKey> rooms, CancellationToken cancellationToken)
    {
        await PassAsync();
        return await _log.ReadHeadsAsync(rooms, CancellationToken.None);
    }

    public ValueTask<bool> CompactAsync(RoomKey room, Position through, ReadOnlyMemory<byte> snapshot, CancellationToken cancellationToken) =>
        _log.CompactAsync(room, through, snapshot, cancellationToken);

    public ValueTask<int> TrimAsync(RoomKey room, LogRetention keep, CancellationToken cancellationToken) =>
        _log.TrimAsync(room, keep, cancellationToken);

    public ValueTask<bool> DeleteAsync(RoomKey room, CancellationToken cancellationToken) => _log.DeleteAsync(room, cancellationToken);

    public ValueTask<IReadOnlyList<string>> ListAsync(
        RoomKind kind, string prefix, string? after, int limit, CancellationToken cancellationToken) =>
        _log.ListAsync(kind, prefix, after, limit, cancellationToken);

    public ValueTask<long> MeasureAsync(CancellationToken cancellationToken) => _log.MeasureAsync(cancellationToken);

    public ValueTask CheckAsync(CancellationToken cancellationToken) => _log.CheckAsync(cancellationToken);

    private async ValueTask PassAsync()
    {
        if (!Gate.IsCompleted)
            Reached.TrySetResult();
        await Gate;
        if (IsBroken)
            throw new RoomLogUnavailableException("The store cannot be used now.");
    }
}
