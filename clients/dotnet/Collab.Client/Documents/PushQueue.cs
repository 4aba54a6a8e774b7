using Collab.Crdt;
using Collab.Protocol;

namespace Collab.Client;

/// <summary>
/// Sends the updates of one document during one membership: one push at a time, and what is produced meanwhile goes merged into the
/// next. When the connection dies it is thrown away with what it holds: the exchange of state vectors on rejoining covers that.
/// </summary>
/// <param name="push">Sends one update and returns its position, once it is durable.</param>
/// <param name="acknowledged">So many of the queued changes are durable.</param>
/// <param name="failed">A push failed. Transient failures are tried again; an update that was refused is left out.</param>
/// <param name="rejected">A rule refuses so many of the queued changes: takes them back, and says whether that was possible.</param>
/// <param name="ending">Cancelled when the membership ends.</param>
internal sealed class PushQueue(
    Func<byte[], Task<string>> push,
    Action<int> acknowledged,
    Action<CollabException> failed,
    Func<int, CollabException, Task<bool>> rejected,
    CancellationToken ending)
{
    // A push carries at most about this many bytes and this many updates, unless one update alone is larger.
    private const int MaxBytes = 256 * 1024;
    private const int MaxUpdates = 1_000;

    private readonly LinkedList<(byte[] Update, int Count)> _updates = new();
    private readonly Backoff _backoff = Backoff.OfCalls();
    private bool _isBusy;

    /// <summary>Whether nothing is queued or on its way.</summary>
    public bool IsIdle => !_isBusy;

    /// <summary>Queues an update that carries so many changes.</summary>
    public void Add(byte[] update, int count)
    {
        _updates.AddLast((update, count));
        if (!_isBusy)
            _ = SendAsync();
    }

    private async Task SendAsync()
    {
        _isBusy = true;
        // What one handler produces goes out together.
        await Task.Yield();
        while (_updates.Count > 0 && !ending.IsCancellationRequested)
        {
            var (update, count) = Take();
            try
            {
                await push(update);
                _backoff.Reset();
                acknowledged(count);
            }
            catch (CollabException exception)
            {
                if (ending.IsCancellationRequested || exception.Code == ClientErrorCodes.Disconnected)
                    break;
                if (exception.Code == ErrorCodes.Rejected && await rejected(count, exception))
                {
                    // Together with what takes it back it changes nothing, and what comes after it needs it: updates have no gaps.
                    _updates.AddFirst((update, count));
                    await Task.Yield();
                    MergeAll();
                    continue;
                }
                if (exception.IsTransient)
                    _updates.AddFirst((update, count));
                failed(exception);
                if (exception.IsTransient)
                    await _backoff.WaitAsync(ending);
            }
        }
        _isBusy = false;
    }

    private void MergeAll()
    {
        var (all, count) = (_updates.Select(queued => (ReadOnlyMemory<byte>)queued.Update).ToArray(), _updates.Sum(queued => queued.Count));
        _updates.Clear();
        _updates.AddFirst((Updates.MergeV1(all), count));
    }

    // What the next push carries, oldest first.
    private (byte[] Update, int Count) Take()
    {
        var (bytes, count) = (0, 0);
        var taken = new List<ReadOnlyMemory<byte>>();
        while (_updates.First is { } first && (taken.Count == 0 || (bytes + first.Value.Update.Length <= MaxBytes && taken.Count < MaxUpdates)))
        {
            taken.Add(first.Value.Update);
            bytes += first.Value.Update.Length;
            count += first.Value.Count;
            _updates.RemoveFirst();
        }
        return (taken.Count == 1 ? taken[0].ToArray() : Updates.MergeV1(taken), count);
    }
}
