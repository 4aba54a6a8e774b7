using Collab.Protocol;

namespace Collab.Server.Documents;

// The document's end.
internal sealed partial class DocumentRoom
{
    private bool _isDeleted;

    /// <summary>Takes no more updates, and waits until those that it has taken are committed.</summary>
    public async Task BeginDeletionAsync(CancellationToken cancellationToken)
    {
        Volatile.Write(ref _isDeleted, true);
        while (!_beat.IsIdle)
            await Task.Delay(_options.BeatMilliseconds + 1, cancellationToken);
    }

    /// <summary>The document stays after all.</summary>
    public void AbandonDeletion() => Volatile.Write(ref _isDeleted, false);

    /// <summary>The document is no more: takes everybody out of it, and tells him.</summary>
    public async Task CloseDeletedAsync()
    {
        DocumentMember[] members;
        lock (_gate)
        {
            _retired = true;
            _isDeleted = true;
            members = [.. _members.Values];
        }

        Volatile.Read(ref _advanced)?.TrySetResult();
        foreach (var member in members)
        {
            await _connections.LeaveAsync(member.ConnectionId, Key);
            if (member.TryGoOut())
                Events?.Left(member);
            Awareness.Remove(member.ConnectionId);
            Remove(member.ConnectionId);
            await _connections.SendConnectionAsync(member.ConnectionId, HubContract.DocumentClosed, [Id, DocumentCloseReasons.Deleted]);
        }
    }

    /// <summary>Another node has deleted the document.</summary>
    public void NoteDeleted()
    {
        _close(this);
        _ = CloseDeletedAsync();
    }

    /// <summary>Whether the document was deleted while this room was open.</summary>
    public bool IsDeleted => Volatile.Read(ref _isDeleted);
}
