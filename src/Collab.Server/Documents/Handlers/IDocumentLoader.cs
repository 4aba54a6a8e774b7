namespace Collab.Server.Documents.Handlers;

/// <summary>
/// Supplies the first state of documents that do not exist yet, from wherever they were before. What it supplies becomes the document's first
/// update, once: when several nodes ask at the same time, what one of them was given is taken.
/// </summary>
/// <remarks>
/// It is asked when somebody who may read the document asks for it, and he waits: what it throws refuses him with <c>unavailable</c> and is logged;
/// the next who asks tries it again. It is a singleton, added with <c>AddDocumentLoader</c>.
/// </remarks>
public interface IDocumentLoader
{
    /// <summary>The first state of a document.</summary>
    /// <param name="documentId">The document.</param>
    /// <param name="cancellationToken">Gives up, after 30 seconds.</param>
    /// <returns>An update of Yjs' version 1, at most <see cref="DocumentOptions.MaxUpdateBytes"/>; null when the document begins empty.</returns>
    ValueTask<byte[]?> LoadAsync(string documentId, CancellationToken cancellationToken);
}
