namespace Collab.Crdt;

/// <summary>The subdocuments that a transaction concerns.</summary>
internal sealed class SubDocChanges
{
    public HashSet<Doc> Added { get; } = [];

    public HashSet<Doc> Removed { get; } = [];

    public HashSet<Doc> Loaded { get; } = [];

    public bool IsEmpty => Added.Count == 0 && Removed.Count == 0 && Loaded.Count == 0;
}
