namespace Collab.PostgresChanges;

/// <summary>What this node does about the tables now, for those who look after it.</summary>
internal sealed class ChangesStatus
{
    private volatile string? _fault;
    private volatile SlotLag? _lag;
    private volatile bool _isReading;

    /// <summary>Why tables, or some of them, are not followed; null when nothing is wrong.</summary>
    public string? Fault
    {
        get => _fault;
        set => _fault = value;
    }

    /// <summary>How far behind the slot is; null while this node does not know.</summary>
    public SlotLag? Lag
    {
        get => _lag;
        set => _lag = value;
    }

    /// <summary>Whether this node is the one that reads.</summary>
    public bool IsReading
    {
        get => _isReading;
        set => _isReading = value;
    }
}

/// <summary>How far behind a slot is.</summary>
/// <param name="Bytes">How much of the write-ahead log has not been taken yet.</param>
/// <param name="KeptBytes">How much of it the server keeps for the slot.</param>
internal sealed record SlotLag(long Bytes, long KeptBytes);
