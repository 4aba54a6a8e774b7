namespace Collab.Crdt;

/// <summary>To which of its neighbours a <see cref="StickyIndex"/> holds on.</summary>
public enum Association
{
    /// <summary>To the unit before it: what is inserted exactly here comes after the position.</summary>
    Before = -1,

    /// <summary>To the unit after it: what is inserted exactly here comes before the position.</summary>
    After = 0,
}
