namespace Collab.Crdt;

/// <summary>A step that can be undone or done again.</summary>
public sealed class StackItem
{
    internal StackItem(RangeSet insertions, RangeSet deletions)
    {
        Insertions = insertions;
        Deletions = deletions;
    }

    /// <summary>Whatever the application wants to keep with the step, such as where the cursor was.</summary>
    public IDictionary<object, object?> Meta { get; } = new Dictionary<object, object?>();

    internal RangeSet Insertions { get; }

    internal RangeSet Deletions { get; }
}

/// <summary>The two directions of an <see cref="UndoManager"/>.</summary>
public enum UndoDirection
{
    /// <summary>Back.</summary>
    Undo,

    /// <summary>Forth again.</summary>
    Redo,
}

/// <summary>Something has happened to a step.</summary>
/// <param name="Item">The step.</param>
/// <param name="Direction">The stack that it came onto, or was taken from.</param>
/// <param name="Origin">The origin of the transaction; the undo manager itself when it undid something.</param>
public sealed record StackItemEvent(StackItem Item, UndoDirection Direction, object? Origin);
