namespace Collab.Crdt;

/// <summary>The transaction in which an edit runs: the one that was open, or one that ends with the scope.</summary>
internal readonly ref struct WriteScope(Transaction transaction, bool owned)
{
    public Transaction Transaction { get; } = transaction;

    public void Dispose()
    {
        if (owned)
            Transaction.Commit();
    }
}
