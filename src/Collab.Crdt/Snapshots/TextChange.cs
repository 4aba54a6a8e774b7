namespace Collab.Crdt;

/// <summary>How a run of text differs between two states.</summary>
public enum TextChangeKind
{
    /// <summary>It is visible in the later state only.</summary>
    Added,

    /// <summary>It is visible in the earlier state only.</summary>
    Removed,
}

/// <summary>A run of text that differs between two states.</summary>
/// <param name="Kind">How it differs.</param>
/// <param name="ClientId">Who has inserted it. Who has deleted it no document says of itself; see <see cref="UserAttribution"/>.</param>
/// <param name="Clock">The clock of its first unit.</param>
public readonly record struct TextChange(TextChangeKind Kind, ulong ClientId, uint Clock);
