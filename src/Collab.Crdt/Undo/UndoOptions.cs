namespace Collab.Crdt;

/// <summary>How an <see cref="UndoManager"/> works.</summary>
public sealed record UndoOptions
{
    /// <summary>Changes that follow one another within this time are undone together. Default: 500 ms.</summary>
    public TimeSpan CaptureTimeout { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// The origins of the transactions that can be undone; a <see cref="Type"/> stands for all origins of that class. Default:
    /// null alone, which is what local edits have that name none.
    /// </summary>
    public IReadOnlyCollection<object?> TrackedOrigins { get; init; } = [null];

    /// <summary>Decides of each transaction whether it can be undone. Default: all can.</summary>
    public Func<Transaction, bool> CaptureTransaction { get; init; } = static _ => true;

    /// <summary>Whether undoing brings back the value of a key even when others have set it since. Default: false.</summary>
    public bool IgnoreRemoteMapChanges { get; init; }

    /// <summary>The clock. Default: the system's.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
