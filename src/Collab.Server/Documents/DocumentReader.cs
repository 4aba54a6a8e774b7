using Collab.Crdt;
using Collab.Protocol;
using Microsoft.Extensions.Options;

namespace Collab.Server.Documents;

/// <summary>Gives content of documents to whoever asks: builds it then, on the thread pool, few at once, and keeps it for the next.</summary>
internal sealed class DocumentReader(IDocumentEngine engine, IOptions<DocumentOptions> options)
{
    private static readonly SemaphoreSlim Running = new(DocumentOptions.BuildsAtOnce);

    /// <summary>Calls <paramref name="read"/> with the content of a document as it stands.</summary>
    /// <returns>What it returned, and the state that it saw.</returns>
    /// <exception cref="CollabException">The document is too large, or cannot be loaded now.</exception>
    public async Task<(T Value, DocumentState State)> ReadAsync<T>(
        DocumentRoom room, Func<IDocumentContent, T> read, CancellationToken cancellationToken)
    {
        await room.Content.EnterAsync(cancellationToken);
        try
        {
            var state = await room.GetStateAsync(cancellationToken);
            if (state.Update.Length > options.Value.MaxBuiltBytes)
                throw TooLarge($"its content is larger than {options.Value.MaxBuiltBytes} bytes");

            await Running.WaitAsync(cancellationToken);
            try
            {
                return (await Task.Run(() => read(room.Content.Of(state, engine)), cancellationToken), state);
            }
            catch (Exception exception) when (exception is InvalidUpdateException or InsufficientExecutionStackException)
            {
                throw TooLarge("it is nested too deeply, or has too many parts", exception);
            }
            finally
            {
                Running.Release();
            }
        }
        finally
        {
            room.Content.Exit();
        }
    }

    private static CollabException TooLarge(string why, Exception? cause = null) =>
        new(ErrorCodes.TooLarge, $"the document cannot be shown as JSON or text: {why}; it can be had as application/octet-stream", cause);
}
