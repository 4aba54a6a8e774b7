namespace Collab.Crdt;

public sealed partial class Doc
{
    // Transactions that have ended and are being tidied up, the first one first; handlers may begin others meanwhile.
    private readonly List<Transaction> _ending = [];
    private Transaction? _open;
    private TransactionNotes? _spareNotes;
    private List<Exception>? _failures;
    private int _readers, _owner, _claims;

    internal HandlerList<Transaction> BeforeTransactionHandlers { get; } = new();

    internal HandlerList<Transaction> AfterTransactionHandlers { get; } = new();

    internal HandlerList<UpdateEvent> UpdateV1Handlers { get; } = new();

    internal HandlerList<UpdateEvent> UpdateV2Handlers { get; } = new();

    internal HandlerList<SubDocsEvent> SubDocsHandlers { get; } = new();

    internal HandlerList<Doc> DestroyHandlers { get; } = new();

    /// <summary>Begins a transaction; all edits until it is disposed belong to it.</summary>
    /// <param name="origin">Where the changes come from; handlers and undo managers see it.</param>
    /// <exception cref="InvalidOperationException">A transaction is open already, or the document is in use by another thread.</exception>
    public Transaction WriteTransaction(object? origin = null) => Begin(origin, local: true);

    /// <summary>Holds the document as it is until the result is disposed.</summary>
    /// <exception cref="InvalidOperationException">A write transaction is open, or the document is in use by another thread.</exception>
    public ReadTransaction ReadTransaction()
    {
        Claim();
        if (_open is not null)
        {
            Unclaim();
            throw new InvalidOperationException("A write transaction is open. End it before a read transaction begins.");
        }
        _readers++;
        return new ReadTransaction(this);
    }

    /// <summary>Runs <paramref name="body"/> in a transaction.</summary>
    /// <param name="body">The edits.</param>
    /// <exception cref="InvalidOperationException">A transaction is open already, or the document is in use by another thread.</exception>
    public void Transact(Action<Transaction> body) => Transact(body, null);

    /// <summary>Runs <paramref name="body"/> in a transaction.</summary>
    /// <param name="body">The edits.</param>
    /// <param name="origin">Where the changes come from; handlers and undo managers see it.</param>
    /// <exception cref="InvalidOperationException">A transaction is open already, or the document is in use by another thread.</exception>
    public void Transact(Action<Transaction> body, object? origin)
    {
        ArgumentNullException.ThrowIfNull(body);
        using var transaction = Begin(origin, local: true);
        body(transaction);
    }

    /// <inheritdoc cref="Transact(Action{Transaction}, object?)"/>
    /// <returns>What <paramref name="body"/> returns.</returns>
    public T Transact<T>(Func<Transaction, T> body) => Transact(body, null);

    /// <inheritdoc cref="Transact(Action{Transaction}, object?)"/>
    /// <returns>What <paramref name="body"/> returns.</returns>
    public T Transact<T>(Func<Transaction, T> body, object? origin)
    {
        ArgumentNullException.ThrowIfNull(body);
        using var transaction = Begin(origin, local: true);
        return body(transaction);
    }

    /// <summary>Calls <paramref name="handler"/> with the changes of each transaction as an update in format v1.</summary>
    /// <returns>Disposing it ends the subscription.</returns>
    public IDisposable ObserveUpdatesV1(Action<UpdateEvent> handler) => UpdateV1Handlers.Add(handler);

    /// <summary>Calls <paramref name="handler"/> with the changes of each transaction as an update in format v2.</summary>
    /// <inheritdoc cref="ObserveUpdatesV1"/>
    public IDisposable ObserveUpdatesV2(Action<UpdateEvent> handler) => UpdateV2Handlers.Add(handler);

    /// <summary>Calls <paramref name="handler"/> when a transaction begins.</summary>
    /// <inheritdoc cref="ObserveUpdatesV1"/>
    public IDisposable ObserveBeforeTransaction(Action<Transaction> handler) => BeforeTransactionHandlers.Add(handler);

    /// <summary>Calls <paramref name="handler"/> after each transaction, when the observers of types have been called.</summary>
    /// <inheritdoc cref="ObserveUpdatesV1"/>
    public IDisposable ObserveAfterTransaction(Action<Transaction> handler) => AfterTransactionHandlers.Add(handler);

    /// <summary>The transaction that is open, or a new one, which then ends with the scope.</summary>
    internal WriteScope Write(object? origin = null)
    {
        if (_open is { } open)
        {
            CheckWriter();
            return new WriteScope(open, owned: false);
        }
        return new WriteScope(Begin(origin, local: true), owned: true);
    }

    /// <summary>Begins a transaction though this one is being tidied up, or joins the open one.</summary>
    internal Transaction Begin(object? origin, bool local)
    {
        Claim();
        if (_open is not null || _readers > 0)
        {
            Unclaim();
            throw new InvalidOperationException(_open is not null
                ? "A transaction is open already, and transactions do not nest. Use the open one, or end it first."
                : "A read transaction is open. End it before writing.");
        }
        var transaction = new Transaction(this, origin, local, TakeNotes());
        _open = transaction;
        _ending.Add(transaction);
        if (!BeforeTransactionHandlers.IsEmpty)
            BeforeTransactionHandlers.Invoke(transaction, ref _failures);
        return transaction;
    }

    internal void End(Transaction transaction)
    {
        if (_open != transaction)
            throw new InvalidOperationException("The transaction is not the one that is open.");
        _open = null;
        List<Exception>? failures = null;
        if (_ending[0] == transaction)
        {
            // Handlers may have begun transactions of their own, which come next.
            for (var i = 0; i < _ending.Count; i++)
                TransactionEnd.Run(_ending[i], ref _failures);
            foreach (var ended in _ending)
                _spareNotes = ended.ReleaseNotes();
            _ending.Clear();
            (failures, _failures) = (_failures, null);
        }
        Unclaim();
        if (failures is not null)
            throw new AggregateException("Handlers of the document's events have failed.", failures);
    }

    internal void EndRead()
    {
        _readers--;
        Unclaim();
    }

    /// <summary>Throws when another thread is at work in the document.</summary>
    internal void CheckReadable()
    {
        var owner = Volatile.Read(ref _owner);
        if (owner != 0 && owner != Environment.CurrentManagedThreadId)
            throw InUse();
    }

    private TransactionNotes TakeNotes()
    {
        var notes = _spareNotes ?? new TransactionNotes();
        _spareNotes = null;
        return notes;
    }

    private void CheckWriter()
    {
        if (_owner != Environment.CurrentManagedThreadId)
            throw InUse();
    }

    private void Claim()
    {
        var thread = Environment.CurrentManagedThreadId;
        if (_owner != thread && Interlocked.CompareExchange(ref _owner, thread, 0) != 0)
            throw InUse();
        _claims++;
    }

    private void Unclaim()
    {
        if (--_claims == 0)
            Volatile.Write(ref _owner, 0);
    }

    private static InvalidOperationException InUse() =>
        new("The document is in use by another thread. A document and its types belong to one thread at a time.");
}
