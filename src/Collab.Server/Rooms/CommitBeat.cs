using System.Diagnostics;

namespace Collab.Server.Rooms;

/// <summary>
/// Gathers what is to be committed to one room. The first comes through at once; while more keeps coming there is one commit a beat,
/// never two at a time, so all is in the log's order.
/// </summary>
/// <param name="beat">The shortest time between two commits, asked for before each.</param>
/// <param name="maxItems">The most that one commit takes.</param>
/// <param name="maxPendingBytes">The most that may wait.</param>
/// <param name="commit">Commits a batch, tells whoever is to be told, and completes the items. It never throws. The list is used again.</param>
internal sealed class CommitBeat<T>(Func<TimeSpan> beat, int maxItems, long maxPendingBytes, Func<List<T>, Task> commit)
{
    private readonly Lock _gate = new();
    private List<T> _pending = [];
    private List<T> _spare = [];
    private long _pendingBytes;
    private long _lastCommit;
    private bool _committing;

    /// <summary>Whether nothing waits and nothing is being committed.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_gate)
                return !_committing;
        }
    }

    /// <summary>Hands an item over.</summary>
    /// <returns>False, and the item is not taken, when too much waits already.</returns>
    public bool TryAdd(T item, int bytes)
    {
        lock (_gate)
        {
            if (_pending.Count > 0 && _pendingBytes + bytes > maxPendingBytes)
                return false;
            _pendingBytes += bytes;
            _pending.Add(item);
            if (_committing)
                return true;
            _committing = true;
        }

        _ = RunAsync();
        return true;
    }

    private async Task RunAsync()
    {
        while (true)
        {
            var left = beat() - Stopwatch.GetElapsedTime(_lastCommit);
            if (left > TimeSpan.Zero)
                await Task.Delay(left);

            List<T> batch;
            lock (_gate)
                batch = Take();

            _lastCommit = Stopwatch.GetTimestamp();
            await commit(batch);
            batch.Clear();
            lock (_gate)
            {
                _spare = batch;
                // Whoever comes next waits for the rest of the beat: where nobody does, no timer is needed.
                if (_pending.Count == 0)
                {
                    _committing = false;
                    return;
                }
            }
        }
    }

    private List<T> Take()
    {
        var batch = _pending;
        _pending = _spare;
        _pendingBytes = 0;
        if (batch.Count > maxItems)
        {
            _pending.AddRange(batch[maxItems..]);
            batch.RemoveRange(maxItems, batch.Count - maxItems);
        }

        return batch;
    }
}
