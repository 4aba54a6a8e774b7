using Collab.Crdt;
using Collab.Server.Rooms;

namespace Collab.Server.Documents;

/// <summary>
/// The part of a document that is kept in memory so that joining does not read the store: the last merged state and the updates that
/// came after it. It may be dropped at any time; the log has everything.
/// </summary>
/// <param name="room">The document.</param>
/// <param name="log">Where it is.</param>
/// <param name="maxBytes">How much of it may be kept, in bytes.</param>
/// <param name="supply">Asked when the log is empty: gives it a beginning, and says whether it has.</param>
internal sealed class ResidentDocument(RoomKey room, IRoomLog log, long maxBytes, Func<RoomKey, Task<bool>> supply)
{
    /// <summary>Updates that nobody asks for are not kept beyond this, or beyond a quarter of the document, in bytes.</summary>
    private const long MaxTailBytes = 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly List<ReadOnlyMemory<byte>> _tail = [];
    private DocumentState? _state;
    private Task<DocumentState>? _loading;
    private long _tailBytes;
    private long _tailThrough;

    /// <summary>How much memory is held, in bytes.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
                return _state is null ? 0 : _state.Update.Length + _tailBytes;
        }
    }

    /// <summary>How many updates followed the last snapshot when the document was loaded.</summary>
    public int LoadedUpdates { get; private set; }

    /// <summary>What these updates weighed, in bytes.</summary>
    public long LoadedUpdateBytes { get; private set; }

    /// <summary>When the state was last asked for, by <see cref="Environment.TickCount64"/>.</summary>
    public long UsedAt { get; private set; }

    /// <summary>Updates were committed.</summary>
    public void Append(DocumentFrame frame)
    {
        lock (_gate)
        {
            if (_state is null || (_state.Epoch == frame.Epoch && frame.Through <= _tailThrough))
                return;
            if (_state.Epoch != frame.Epoch || _tailThrough < frame.After)
            {
                // Something was written in between: only the log knows.
                DropState();
                return;
            }

            if (frame.Entries.IsEmpty)
                Add(frame.Update);
            foreach (var entry in frame.Entries.Span)
                Add(entry.Data);
            _tailThrough = frame.Through;
            if (_tailBytes > Math.Max(MaxTailBytes, _state.Update.Length / 4) || _state.Update.Length + _tailBytes > maxBytes)
                DropState();
        }
    }

    /// <summary>The document as of the last commit that was told to <see cref="Append"/>, or later.</summary>
    /// <param name="atLeast">An offset that is known to be committed.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="RoomLogUnavailableException">It cannot be loaded now.</exception>
    public async ValueTask<DocumentState> GetStateAsync(long atLeast, CancellationToken cancellationToken)
    {
        UsedAt = Environment.TickCount64;
        for (var loads = 0; ; loads++)
        {
            Task<DocumentState> loading;
            lock (_gate)
            {
                if (_state is not null)
                {
                    var current = MergeTail();
                    if (current.Offset >= atLeast)
                        return current;
                    DropState();
                }

                loading = _loading ??= LoadAsync();
            }

            // A load that was under way may have read before the last commit; one that began here has not, unless the log is another now.
            var loaded = await loading.WaitAsync(cancellationToken);
            if (loaded.Offset >= atLeast || loads > 0)
                return loaded;
        }
    }

    /// <summary>
    /// Takes the compacted form of a state in its place. A later state was merged from the longer form: it is dropped, so that the next
    /// who asks gets the shorter one from the log.
    /// </summary>
    public void Replace(DocumentState compacted)
    {
        lock (_gate)
        {
            if (_state is null || _state.Epoch != compacted.Epoch)
                return;
            if (_state.Offset == compacted.Offset)
                _state = compacted;
            else
                DropState();
        }
    }

    public void Drop()
    {
        lock (_gate)
            DropState();
    }

    private void Add(ReadOnlyMemory<byte> update)
    {
        _tail.Add(update);
        _tailBytes += update.Length;
    }

    private void Hold(DocumentState state)
    {
        _state = state;
        _tailThrough = state.Offset;
    }

    private void DropState()
    {
        _state = null;
        _tail.Clear();
        _tailBytes = 0;
    }

    private DocumentState MergeTail()
    {
        var state = _state!;
        if (_tail.Count == 0)
            return state;
        state = new DocumentState(state.Epoch, _tailThrough, Updates.MergeV1([state.Update, .. _tail]));
        _tail.Clear();
        _tailBytes = 0;
        return _state = state;
    }

    private async Task<DocumentState> LoadAsync()
    {
        // Off the caller's lock.
        await Task.Yield();
        try
        {
            var (epoch, offset, update) = await ReadAsync();
            if (offset == 0 && await supply(room))
                (epoch, offset, update) = await ReadAsync();
            var state = new DocumentState(epoch, offset, update);
            lock (_gate)
            {
                _loading = null;
                DropState();
                Hold(state);
                return state;
            }
        }
        catch
        {
            lock (_gate)
                _loading = null;
            throw;
        }
    }

    private async Task<(string Epoch, long Offset, byte[] Update)> ReadAsync()
    {
        var read = await StoredDocument.ReadAsync(log, room, CancellationToken.None);
        (LoadedUpdates, LoadedUpdateBytes) = (read.Entries, read.EntryBytes);
        return (read.Epoch, read.Offset, read.Update);
    }
}
