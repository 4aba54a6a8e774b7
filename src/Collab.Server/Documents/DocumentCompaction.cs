using Collab.Server.Rooms;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Documents;

/// <summary>Knows how large a document is, decides when its log is worth compacting, and has it done off the path of updates.</summary>
internal sealed class DocumentCompaction(DocumentRoom room, DocumentCompactor compactor, DocumentOptions options, ILogger logger)
{
    // A document so many times larger than this is compacted that many times less often, so that typing into it stays cheap.
    private const long SmallDocumentBytes = 64 * 1024;

    // In the middle of a burst a snapshot would soon be old again: wait for a pause, unless the log has grown so many times too long.
    private const int OverdueFactor = 256;

    private readonly Lock _gate = new();
    private int _updates;
    private long _bytes;
    private long _documentBytes;
    private long _addedBytes;
    private bool _counted;
    private bool _running;

    /// <summary>How large the document is, in bytes: measured when it was loaded and compacted, and what was added since.</summary>
    public long DocumentBytes
    {
        get
        {
            lock (_gate)
                return _documentBytes + _addedBytes;
        }
    }

    /// <summary>The document was loaded, and so many updates stood behind its last snapshot.</summary>
    public void Loaded(int updates, long bytes, long documentBytes)
    {
        lock (_gate)
        {
            if (_counted)
                return;
            _counted = true;
            _updates += updates;
            _bytes += bytes;
            _documentBytes = documentBytes;
        }

        CompactIfDue();
    }

    /// <summary>Updates were appended to the log.</summary>
    public void Appended(NewLogEntry[] entries)
    {
        lock (_gate)
        {
            _updates += entries.Length;
            foreach (var entry in entries)
            {
                _bytes += entry.Data.Length;
                _addedBytes += entry.Data.Length;
            }
        }

        CompactIfDue();
    }

    private void CompactIfDue()
    {
        lock (_gate)
        {
            if (_running || !IsDue(1))
                return;
            _running = true;
        }

        _ = Task.Run(CompactAsync);
    }

    private bool IsDue(int factor) =>
        _updates >= (long)factor * options.CompactAfterUpdates * Math.Max(1, _documentBytes / SmallDocumentBytes)
        || (_updates > 1 && _bytes >= factor * Math.Max(options.CompactAfterBytes, _documentBytes / 2));

    private async Task WaitForPauseAsync()
    {
        while (true)
        {
            int before;
            lock (_gate)
                before = _updates;
            await Task.Delay(options.CompactPauseMilliseconds, compactor.Stopping);
            lock (_gate)
            {
                if (_updates == before || IsDue(OverdueFactor))
                    return;
            }
        }
    }

    private async Task CompactAsync()
    {
        var (updates, bytes, added) = (0, 0L, 0L);
        try
        {
            await WaitForPauseAsync();
            lock (_gate)
                (updates, bytes, added) = (_updates, _bytes, _addedBytes);
            if (await compactor.CompactAsync(room) is { } snapshotBytes)
            {
                lock (_gate)
                    (_documentBytes, _addedBytes) = (snapshotBytes, _addedBytes - added);
            }
        }
        catch (Exception exception)
        {
            if (!compactor.Stopping.IsCancellationRequested)
                DocumentLog.CompactionFailed(logger, room.Id, exception);
        }
        finally
        {
            lock (_gate)
            {
                _updates -= updates;
                _bytes -= bytes;
                _running = false;
            }
        }

        // What came meanwhile may be due by itself, and nothing may come after it. A server that stops leaves it to the next one.
        if (!compactor.Stopping.IsCancellationRequested)
            CompactIfDue();
    }
}
