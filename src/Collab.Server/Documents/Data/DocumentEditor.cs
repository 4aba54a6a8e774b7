using Collab.Crdt;
using Collab.Protocol;
using Microsoft.Extensions.Options;

namespace Collab.Server.Documents.Data;

/// <summary>
/// Changes documents on the server: an edit of the document's types becomes one update, which goes the way of every other. One edit of a
/// document at a time on this node; members go on meanwhile.
/// </summary>
internal sealed class DocumentEditor(DocumentRooms rooms, IDocumentEngine engine, IOptions<DocumentOptions> options)
{
    private static readonly SemaphoreSlim Running = new(DocumentOptions.BuildsAtOnce);

    /// <summary>Changes a document, and returns when that is durable and the members' outboxes have it.</summary>
    /// <param name="documentId">The document; it begins with this edit if there is none.</param>
    /// <param name="userId">On whose behalf; null for nobody's.</param>
    /// <param name="conditions">What must hold.</param>
    /// <param name="edit">The changes. What it throws leaves the document as it is.</param>
    /// <param name="cancellationToken">Gives up until the edit is handed over.</param>
    /// <returns>The document's position with the edit; the one before when nothing was changed.</returns>
    public async Task<Position> EditAsync(
        string documentId, string? userId, DocumentConditions conditions, Action<Doc> edit, CancellationToken cancellationToken)
    {
        var room = rooms.Visit(documentId);
        try
        {
            await room.Content.EnterAsync(cancellationToken);
            try
            {
                return await EditAsync(room, userId, conditions, edit, cancellationToken);
            }
            catch
            {
                // It may hold what is not committed.
                room.Content.Discard();
                throw;
            }
            finally
            {
                room.Content.Exit();
            }
        }
        finally
        {
            room.EndVisit();
        }
    }

    private async Task<Position> EditAsync(
        DocumentRoom room, string? userId, DocumentConditions conditions, Action<Doc> edit, CancellationToken cancellationToken)
    {
        var state = await room.GetStateAsync(cancellationToken);
        conditions.Check(state);
        if (state.Update.Length > options.Value.MaxBuiltBytes)
            throw TooLarge($"the document is larger than {options.Value.MaxBuiltBytes} bytes, so that it cannot be edited on the server");
        var update = await MakeAsync(room, state, userId, edit, cancellationToken);
        var position = new Position(state.Epoch, state.Offset);
        if (Updates.IsEmptyV1(update))
            return position;
        if (update.Length > options.Value.MaxUpdateBytes)
            throw TooLarge($"the edit is an update larger than {options.Value.MaxUpdateBytes} bytes");
        if (room.Compaction.DocumentBytes + update.Length > options.Value.MaxDocumentBytes)
            throw TooLarge($"with this edit the document would be larger than {options.Value.MaxDocumentBytes} bytes");
        if (options.Value.EnforceClientIds)
            await room.Writers.ClaimAsync(userId, Updates.InsertersV1(update, Updates.EmptyV1));

        // Nobody has it yet, so nobody is left out.
        var writer = new DocumentMember("server", userId, canWrite: true, echoes: true);
        return await room.PushAsync(update, writer, conditions.AreAny ? position : null);
    }

    private async Task<byte[]> MakeAsync(
        DocumentRoom room, DocumentState state, string? userId, Action<Doc> edit, CancellationToken cancellationToken)
    {
        await Running.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(() => room.Content.Edit(state, engine, userId, edit), cancellationToken);
        }
        catch (InvalidUpdateException exception)
        {
            throw TooLarge("the document is nested too deeply, or has too many parts, to be edited on the server", exception);
        }
        finally
        {
            Running.Release();
        }
    }

    private static CollabException TooLarge(string why, Exception? cause = null) => new(ErrorCodes.TooLarge, why, cause);
}
