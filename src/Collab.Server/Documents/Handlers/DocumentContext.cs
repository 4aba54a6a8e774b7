using Collab.Crdt;
using Collab.Protocol;

namespace Collab.Server.Documents.Handlers;

/// <summary>A document that a handler is told of.</summary>
public sealed class DocumentContext
{
    private readonly DocumentRoom _room;
    private readonly DocumentReader _reader;

    internal DocumentContext(DocumentRoom room, DocumentReader reader) => (_room, _reader) = (room, reader);

    /// <summary>The document's id.</summary>
    public string Id => _room.Id;

    internal Position? Head => _room.Head;

    /// <summary>The document as it stands now.</summary>
    /// <exception cref="CollabException"><c>unavailable</c>: the store cannot be read.</exception>
    public async ValueTask<DocumentSnapshot> ReadAsync(CancellationToken cancellationToken)
    {
        var state = await _room.GetStateAsync(cancellationToken);
        return new(state.Update, state.Position);
    }

    /// <summary>Reads the document's content as it stands now, as types and values.</summary>
    /// <param name="read">Is given the document, for as long as it runs; it must not change it. What it returns must not refer to it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CollabException"><c>too_large</c>: the document is too large to be built; <c>unavailable</c>: the store cannot be read.</exception>
    public async ValueTask<T> ReadAsync<T>(Func<Doc, T> read, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(read);
        return (await _reader.ReadAsync(_room, content => content.Read(read), cancellationToken)).Value;
    }

    /// <summary>
    /// Sends something that is not part of the document to the Hocuspocus clients in it, on all nodes. It is not kept: who is cut off at this moment
    /// misses it.
    /// </summary>
    public Task BroadcastStatelessAsync(string payload)
    {
        ArgumentNullException.ThrowIfNull(payload);
        return _room.SendStatelessAsync(payload);
    }
}

/// <summary>A document at one position.</summary>
/// <param name="Update">All of it, as an update of Yjs' version 1; for <c>Doc.ApplyV1</c> and the functions of <c>Updates</c>.</param>
/// <param name="Position">The position, as clients are told it.</param>
public sealed record DocumentSnapshot(ReadOnlyMemory<byte> Update, string Position);

/// <summary>Somebody in a document: one connection, of any protocol.</summary>
/// <param name="ConnectionId">The connection.</param>
/// <param name="UserId">The user behind it, as the authentication has it; null when it has none.</param>
/// <param name="CanWrite">Whether he may change the document; at this moment.</param>
public sealed record DocumentParticipant(string ConnectionId, string? UserId, bool CanWrite);

/// <summary>An update that is durable.</summary>
/// <param name="Update">The update, of Yjs' version 1. A handler that is far behind is told of several as one.</param>
/// <param name="Position">The position of the document after it.</param>
/// <param name="UserId">Who wrote it; null when it has no user, or several.</param>
public sealed record DocumentChange(ReadOnlyMemory<byte> Update, string Position, string? UserId);
