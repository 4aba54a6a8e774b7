using System.Text.Json;
using Collab.Protocol;
using Collab.Server.Rooms;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Documents;

/// <summary>
/// Which user writes under which Yjs client ids in a document: whoever did so first, and nobody else. Kept in a log of its own, whose
/// order decides who was first, so that it tells who wrote what also after the document's log was compacted.
/// </summary>
internal sealed class DocumentWriters(string documentId, IRoomLog log, DocumentAwareness awareness, ILogger logger)
{
    private const int PageEntries = 4096;
    private const long PageBytes = 4 * 1024 * 1024;
    private const int CompactAfterEntries = 512;

    private readonly RoomKey _room = new(RoomKind.Writers, documentId);
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, string> _owners = [];
    private bool _isLoaded;
    private string? _epoch;
    private long _through;
    private long _compacted;

    /// <summary>Whether a client id is known to be another user's. Who shows himself under one has it too, while he does.</summary>
    public bool IsOthers(string? userId, ulong clientId)
    {
        lock (_gate)
            return IsOthersHere(userId, clientId);
    }

    /// <summary>Takes client ids for a user. It is durable when this returns.</summary>
    /// <returns>False, and nothing is taken, when one of them is another user's.</returns>
    /// <exception cref="CollabException">The store cannot tell, or keep it, now.</exception>
    public ValueTask<bool> ClaimAsync(string? userId, IReadOnlyList<ulong> clientIds)
    {
        lock (_gate)
        {
            if (_isLoaded)
            {
                if (!Judge(userId, clientIds, out var unclaimed))
                    return ValueTask.FromResult(false);
                if (unclaimed is null)
                    return ValueTask.FromResult(true);
            }
        }

        return ClaimInLogAsync(userId, clientIds);
    }

    /// <summary>Whose client ids are whose; of nobody in particular an empty id.</summary>
    /// <exception cref="CollabException">The store cannot tell now.</exception>
    public async Task<IReadOnlyDictionary<ulong, string>> OwnersAsync()
    {
        try
        {
            await ReadAsync();
            lock (_gate)
                return new Dictionary<ulong, string>(_owners);
        }
        catch (RoomLogUnavailableException exception)
        {
            throw new CollabException(ErrorCodes.Unavailable, "who has written cannot be looked up now; try again later", exception);
        }
    }

    private async ValueTask<bool> ClaimInLogAsync(string? userId, IReadOnlyList<ulong> clientIds)
    {
        try
        {
            if (!_isLoaded)
                await ReadAsync();
            List<ulong>? unclaimed;
            lock (_gate)
            {
                if (!Judge(userId, clientIds, out unclaimed))
                    return false;
            }

            if (unclaimed is null)
                return true;
            var claim = new NewLogEntry(JsonSerializer.SerializeToUtf8Bytes(unclaimed), userId);
            await log.AppendAsync(_room, [claim], CancellationToken.None);
            // Another node may have claimed meanwhile: what stands in the log first counts.
            await ReadAsync();
            await CompactIfLongAsync();
            lock (_gate)
                return Judge(userId, clientIds, out _);
        }
        catch (RoomLogUnavailableException exception)
        {
            DocumentLog.WritersUnavailable(logger, documentId, exception);
            throw new CollabException(ErrorCodes.Unavailable, "the update could not be checked; try again later", exception);
        }
    }

    /// <summary>Reads what the log has that is not known here.</summary>
    private async Task ReadAsync()
    {
        LogPage page;
        do
        {
            page = await log.ReadAsync(_room, Volatile.Read(ref _through), PageEntries, PageBytes, CancellationToken.None);
            lock (_gate)
                Take(page);
        }
        while (_through < page.Head);
        _isLoaded = true;
    }

    private void Take(LogPage page)
    {
        if (_epoch is not null && _epoch != page.Epoch)
        {
            // The document began anew, and so does the reading.
            _owners.Clear();
            (_epoch, _through, _compacted) = (page.Epoch, 0, 0);
            return;
        }

        _epoch = page.Epoch;

        if (page.Snapshot is { } snapshot && snapshot.Offset > _through)
        {
            foreach (var (user, clientIds) in JsonSerializer.Deserialize<Dictionary<string, ulong[]>>(snapshot.Data.Span)!)
                Add(user, clientIds);
            _through = _compacted = snapshot.Offset;
        }

        foreach (var entry in page.Entries)
        {
            if (entry.Offset != _through + 1)
                continue;
            Add(entry.Author ?? "", JsonSerializer.Deserialize<ulong[]>(entry.Data.Span)!);
            _through = entry.Offset;
        }
    }

    private async Task CompactIfLongAsync()
    {
        Position through;
        byte[] snapshot;
        lock (_gate)
        {
            if (_through - _compacted < CompactAfterEntries)
                return;
            through = new Position(_epoch!, _through);
            snapshot = JsonSerializer.SerializeToUtf8Bytes(
                _owners.GroupBy(owned => owned.Value, owned => owned.Key).ToDictionary(user => user.Key, user => user.ToArray()));
            _compacted = _through;
        }

        await log.CompactAsync(_room, through, snapshot, CancellationToken.None);
    }

    private void Add(string user, ulong[] clientIds)
    {
        foreach (var clientId in clientIds)
            _owners.TryAdd(clientId, user);
    }

    /// <param name="userId">The user.</param>
    /// <param name="clientIds">The client ids.</param>
    /// <param name="unclaimed">Those of them that are nobody's; null when there are none.</param>
    /// <returns>False when one of them is another user's.</returns>
    private bool Judge(string? userId, IReadOnlyList<ulong> clientIds, out List<ulong>? unclaimed)
    {
        unclaimed = null;
        foreach (var clientId in clientIds)
        {
            if (IsOthersHere(userId, clientId))
                return false;
            if (!_owners.ContainsKey(clientId))
                (unclaimed ??= []).Add(clientId);
        }

        return true;
    }

    private bool IsOthersHere(string? userId, ulong clientId) =>
        _owners.TryGetValue(clientId, out var owner) ? owner != (userId ?? "")
        : awareness.TryGetUser(clientId, out var shown) && shown != userId;
}
