using System.Diagnostics.CodeAnalysis;
using Collab.Crdt;
using Collab.Protocol;

namespace Collab.Server.Documents.Rules;

/// <summary>
/// Asks the rules about the edits of one document, one after the other. It keeps the document as the last edit that was let through has left
/// it, so that asking costs what the edit changes; after a refusal it is built anew.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore whose wait handle nobody asks for holds nothing.")]
internal sealed class DocumentJudge(string documentId, IReadOnlyList<IDocumentRule> rules, DocumentOptions options)
{
    private readonly SemaphoreSlim _turn = new(1);
    // What was let through and may not be in the document's state yet.
    private readonly List<byte[]> _underWay = [];
    private Doc? _doc;
    private string? _epoch;
    private long _offset;

    /// <summary>Lets an edit through, or refuses it, and hands it over before the next one is judged.</summary>
    /// <param name="userId">Who wants to make it.</param>
    /// <param name="update">The edit.</param>
    /// <param name="getState">Gives the document as it stands.</param>
    /// <param name="push">Hands it over to be committed.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Its position.</returns>
    /// <exception cref="CollabException"><c>rejected</c>, with the rule's code first in its message; <c>unavailable</c>.</exception>
    public async Task<Position> PushAsync(
        string? userId, byte[] update, Func<ValueTask<DocumentState>> getState, Func<Task<Position>> push, CancellationToken cancellationToken)
    {
        IDocumentRule[] asked = [.. rules.Where(rule => rule.AppliesTo(documentId))];
        if (asked.Length == 0)
            return await push();

        Task<Position> pushed;
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var state = await getState();
            if (state.Update.Length + update.Length > options.MaxBuiltBytes)
                throw new CollabException(ErrorCodes.TooLarge, $"the document is larger than {options.MaxBuiltBytes} bytes, so that its rules cannot be asked");
            await JudgeAsync(asked, userId, update, state, cancellationToken);
            pushed = push();
            _underWay.Add(update);
        }
        catch
        {
            _doc = null;
            throw;
        }
        finally
        {
            _turn.Release();
        }

        try
        {
            return await pushed;
        }
        finally
        {
            await _turn.WaitAsync(CancellationToken.None);
            _underWay.Remove(update);
            // It holds what was not committed.
            if (!pushed.IsCompletedSuccessfully)
                _doc = null;
            _turn.Release();
        }
    }

    private async Task JudgeAsync(IDocumentRule[] asked, string? userId, byte[] update, DocumentState state, CancellationToken cancellationToken)
    {
        var before = new Lazy<Doc>(() => Load(state));
        var after = new Lazy<Doc>(() => With(state, update));
        var edit = new ProposedEdit(documentId, userId, update, before, after);
        foreach (var rule in asked)
        {
            RuleVerdict verdict;
            try
            {
                verdict = await rule.JudgeAsync(edit, cancellationToken);
            }
            catch (InvalidUpdateException exception)
            {
                throw new CollabException(ErrorCodes.TooLarge, "the document is nested too deeply, or has too many parts, for its rules to be asked", exception);
            }
            catch (Exception exception) when (exception is not (OperationCanceledException or CollabException))
            {
                throw new CollabException(ErrorCodes.Unavailable, "a rule of the document cannot be asked now; try again later", exception);
            }

            if (verdict.Code is { } code)
                throw new CollabException(ErrorCodes.Rejected, $"{code}: {verdict.Reason}");
        }

        // What comes next is judged with this one in it, asked for or not.
        if (!after.IsValueCreated)
            _doc = null;
        if (before.IsValueCreated)
            before.Value.Dispose();
    }

    private Doc With(DocumentState state, byte[] update)
    {
        if (_doc is null || _epoch != state.Epoch)
            _doc = Load(state);
        else if (_offset != state.Offset)
            _doc.ApplyV1(Updates.DiffV1(state.Update, _doc.StateVectorV1()));
        (_epoch, _offset) = (state.Epoch, state.Offset);
        _doc.ApplyV1(update);
        return _doc;
    }

    private Doc Load(DocumentState state)
    {
        var doc = new Doc(ManagedEngine.Options);
        doc.ApplyV1(state.Update);
        foreach (var update in _underWay)
            doc.ApplyV1(update);
        return doc;
    }
}
