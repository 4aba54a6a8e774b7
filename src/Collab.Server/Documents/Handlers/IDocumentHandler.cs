namespace Collab.Server.Documents.Handlers;

/// <summary>
/// Is told what happens to the documents that are open on this node. Of one document it is told one thing after the other, in order; of
/// several at the same time. Nobody waits for it: what throws is tried twice more and logged, and a call that has not ended after 30
/// seconds is cancelled.
/// </summary>
/// <remarks>
/// Handlers are singletons, added with <c>AddDocumentHandler</c>; one that needs scoped services makes a scope of its own. Each change is told on
/// one node, the one that took it in, unless that node dies: what must not be missed is read from the document.
/// </remarks>
public interface IDocumentHandler
{
    /// <summary>The document is in memory, for somebody has asked for it.</summary>
    ValueTask LoadedAsync(DocumentContext document, CancellationToken cancellationToken) => default;

    /// <summary>Somebody who is connected here has come in.</summary>
    ValueTask JoinedAsync(DocumentContext document, DocumentParticipant participant, CancellationToken cancellationToken) => default;

    /// <summary>An update that was taken in here is durable.</summary>
    ValueTask ChangedAsync(DocumentContext document, DocumentChange change, CancellationToken cancellationToken) => default;

    /// <summary>
    /// The document was changed here and has been left alone for a while since (<see cref="DocumentOptions.StoredAfterMilliseconds"/>), has been
    /// changed for long, or is about to be unloaded: the time to write what others search or show. It is durable without that.
    /// </summary>
    ValueTask StoredAsync(DocumentContext document, CancellationToken cancellationToken) => default;

    /// <summary>A client has sent something that is not part of the document (Hocuspocus' stateless messages).</summary>
    ValueTask StatelessReceivedAsync(DocumentContext document, DocumentParticipant participant, string payload, CancellationToken cancellationToken) => default;

    /// <summary>Somebody who was connected here has left, or was cut off.</summary>
    ValueTask LeftAsync(DocumentContext document, DocumentParticipant participant, CancellationToken cancellationToken) => default;

    /// <summary>Nobody here has asked for the document for a while, or the server stops: it is not in memory any more.</summary>
    ValueTask UnloadedAsync(DocumentContext document, CancellationToken cancellationToken) => default;
}
