namespace Collab.Crdt;

/// <summary>What <see cref="AwarenessUpdate"/> lets pass.</summary>
public sealed record AwarenessLimits
{
    /// <summary>The defaults.</summary>
    public static AwarenessLimits Default { get; } = new();

    /// <summary>The most clients in one awareness update. Default: 10,000.</summary>
    public int MaxClients { get; init; } = 10_000;

    /// <summary>The largest state of one client, in bytes of JSON. Default: 64 KiB.</summary>
    public int MaxStateBytes { get; init; } = 64 * 1024;

    /// <summary>How deep a state's JSON may be nested. Default: 64.</summary>
    public int MaxDepth { get; init; } = 64;
}
