using Collab.Crdt;
using Collab.Protocol;

namespace Collab.Server.Documents;

/// <summary>
/// Documents for code that runs in the server's process: agents, jobs, endpoints of an application's own. It is trusted: rights are not
/// asked. What it changes goes the way of every edit: it is durable when the call returns, and all who are in the document see it live.
/// </summary>
public interface IDocumentClient
{
    /// <summary>Changes a document in one transaction; it begins with that if there is none.</summary>
    /// <param name="documentId">1 to 200 characters of <c>A-Z a-z 0-9 . _ ~ : @ - /</c>, with no empty segment between slashes.</param>
    /// <param name="edit">The changes, of the document as it stands; it must not wait for anything. What it throws leaves the document as it is.</param>
    /// <param name="options">On whose behalf, and on what condition.</param>
    /// <param name="cancellationToken">Gives up until the edit is handed over.</param>
    /// <returns>The document's position with the edit; the one before when nothing was changed.</returns>
    /// <exception cref="CollabException"><c>precondition_failed</c>, <c>too_large</c>, <c>invalid_name</c>, <c>unavailable</c>, or a rule's own code.</exception>
    Task<string> EditAsync(
        string documentId, Action<Doc> edit, DocumentEditOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Reads a document as it stands.</summary>
    /// <typeparam name="T">What is read.</typeparam>
    /// <param name="documentId">The document.</param>
    /// <param name="read">Reads; it must change nothing, and wait for nothing.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CollabException"><c>not_found</c>, <c>too_large</c>, <c>invalid_name</c>, <c>unavailable</c>.</exception>
    Task<T> ReadAsync<T>(string documentId, Func<Doc, T> read, CancellationToken cancellationToken = default);

    /// <summary>Deletes a document. Those who are in it are told (<c>DocumentClosed</c>, <c>deleted</c>) and out of it.</summary>
    /// <param name="documentId">The document.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>False when there is no such document.</returns>
    /// <exception cref="CollabException"><c>invalid_name</c>, <c>unavailable</c>.</exception>
    Task<bool> DeleteAsync(string documentId, CancellationToken cancellationToken = default);

    /// <summary>Shows somebody in a document as if he had it open: an agent that is at work, say.</summary>
    /// <param name="documentId">The document.</param>
    /// <param name="state">What the others see of him: an awareness state, such as <c>{ user: { name, color } }</c>.</param>
    /// <param name="userId">Who he is; null for nobody in particular.</param>
    /// <returns>Disposing it takes him out.</returns>
    /// <exception cref="CollabException"><c>invalid_name</c>, <c>unavailable</c>.</exception>
    Task<IDocumentAppearance> AppearAsync(string documentId, Any state, string? userId = null);
}

/// <summary>Somebody whom code in the server's process shows in a document.</summary>
public interface IDocumentAppearance : IAsyncDisposable
{
    /// <summary>The Yjs client id under which he is shown.</summary>
    ulong ClientId { get; }

    /// <summary>Shows something else of him: his caret has moved, say.</summary>
    /// <param name="state">The awareness state.</param>
    Task ShowAsync(Any state);
}

/// <summary>How to change a document.</summary>
public sealed record DocumentEditOptions
{
    /// <summary>On whose behalf: he is the author of the change. Null for nobody's.</summary>
    public string? UserId { get; init; }

    /// <summary>Only if the document is at this position; null at any.</summary>
    public string? OnlyAt { get; init; }
}
