using Collab.Crdt;
using Collab.Protocol;

namespace Collab.Server.Documents.Data;

/// <inheritdoc cref="IDocumentClient"/>
internal sealed class DocumentClient(DocumentEditor editor, DocumentRooms rooms, DocumentReader reader) : IDocumentClient
{
    public async Task<string> EditAsync(string documentId, Action<Doc> edit, DocumentEditOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(edit);
        DocumentService.CheckName(documentId);
        var conditions = options?.OnlyAt is { } position ? DocumentConditions.None with { Matches = [position] } : DocumentConditions.None;
        return (await editor.EditAsync(documentId, options?.UserId, conditions, edit, cancellationToken)).ToString();
    }

    public async Task<T> ReadAsync<T>(string documentId, Func<Doc, T> read, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(read);
        DocumentService.CheckName(documentId);
        var room = rooms.Visit(documentId);
        try
        {
            DocumentService.CheckExists(await room.GetStateAsync(cancellationToken));
            return (await reader.ReadAsync(room, content => content.Read(read), cancellationToken)).Value;
        }
        finally
        {
            room.EndVisit();
        }
    }

    public Task<bool> DeleteAsync(string documentId, CancellationToken cancellationToken)
    {
        DocumentService.CheckName(documentId);
        return rooms.DeleteAsync(documentId, cancellationToken);
    }

    public async Task<IDocumentAppearance> AppearAsync(string documentId, Any state, string? userId)
    {
        DocumentService.CheckName(documentId);
        var appearance = new DocumentAppearance(rooms.Visit(documentId), userId);
        try
        {
            await appearance.ShowAsync(state);
            return appearance;
        }
        catch
        {
            await appearance.DisposeAsync();
            throw;
        }
    }
}
