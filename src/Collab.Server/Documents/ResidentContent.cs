using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Collab.Crdt;

namespace Collab.Server.Documents;

/// <summary>
/// A document built as types and values, kept for the next who asks for content. One reader at a time; nothing is built before
/// somebody asks, and it may be dropped at any time.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore whose wait handle nobody asks for holds nothing.")]
internal sealed class ResidentContent
{
    // What a built document takes for each byte of its update, about: texts less, many small values more.
    private const long BuiltFactor = 16;

    private readonly SemaphoreSlim _turn = new(1);
    private readonly Dictionary<string, int> _writers = new(StringComparer.Ordinal);
    private IDocumentContent? _content;
    private string? _epoch;
    private long _offset;
    private long _bytes;
    private long _usedAt;

    /// <summary>How much memory is held, in bytes, about.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>When it was last asked for, by <see cref="Environment.TickCount64"/>.</summary>
    public long UsedAt => Volatile.Read(ref _usedAt);

    /// <summary>Waits for this reader's turn.</summary>
    public Task EnterAsync(CancellationToken cancellationToken) => _turn.WaitAsync(cancellationToken);

    /// <summary>Ends a reader's turn.</summary>
    public void Exit() => _turn.Release();

    /// <summary>The content of a state that is as late as the last one or later; for whoever has entered.</summary>
    public IDocumentContent Of(DocumentState state, IDocumentEngine engine)
    {
        Volatile.Write(ref _usedAt, Environment.TickCount64);
        if (_content is { } content && _epoch == state.Epoch)
        {
            if (_offset != state.Offset)
                Advance(content, state);
            return content;
        }

        Clear();
        _content = engine.Open(state.Update);
        Remember(state);
        return _content;
    }

    /// <summary>
    /// Changes the content of a state; for whoever has entered. It is ahead of the state then: until the update is committed, or
    /// <see cref="Discard"/>, he stays.
    /// </summary>
    /// <param name="state">The state.</param>
    /// <param name="engine">Builds it.</param>
    /// <param name="userId">The user who changes it: each writes under a client id of his own.</param>
    /// <param name="edit">The changes.</param>
    /// <returns>The update.</returns>
    public byte[] Edit(DocumentState state, IDocumentEngine engine, string? userId, Action<Doc> edit)
    {
        var content = Of(state, engine);
        ref var clientId = ref CollectionsMarshal.GetValueRefOrAddDefault(_writers, userId ?? "", out var isKnown);
        if (!isKnown)
            clientId = RandomNumberGenerator.GetInt32(1, int.MaxValue);
        return content.Edit((ulong)clientId, edit);
    }

    /// <summary>Drops the content; for whoever has entered.</summary>
    public void Discard() => Clear();

    /// <summary>Drops the content unless somebody reads it now.</summary>
    public void Drop()
    {
        if (Bytes == 0 || !_turn.Wait(0))
            return;
        Clear();
        _turn.Release();
    }

    private void Advance(IDocumentContent content, DocumentState state)
    {
        try
        {
            content.Advance(state.Update);
            Remember(state);
        }
        catch
        {
            Clear();
            throw;
        }
    }

    private void Remember(DocumentState state)
    {
        (_epoch, _offset) = (state.Epoch, state.Offset);
        Volatile.Write(ref _bytes, state.Update.Length * BuiltFactor);
    }

    private void Clear()
    {
        _content?.Dispose();
        _content = null;
        _writers.Clear();
        Volatile.Write(ref _bytes, 0);
    }
}
