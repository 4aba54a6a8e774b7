namespace Collab.Crdt;

/// <summary>What <see cref="Updates.ValidateV1"/> and <see cref="Updates.ValidateV2"/> let pass. The defaults admit whatever a Yjs 13 client makes in earnest.</summary>
public sealed record UpdateLimits
{
    /// <summary>The highest clock that the algebra can hold: 2^31.</summary>
    public const uint HighestClock = 1u << 31;

    /// <summary>The defaults.</summary>
    public static UpdateLimits Default { get; } = new();

    /// <summary>The largest update, in bytes. Default: 64 MiB.</summary>
    public int MaxBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>The most structs (inserted runs) in one update. Default: 4,194,304.</summary>
    public int MaxStructs { get; init; } = 4 * 1024 * 1024;

    /// <summary>How deep values (Any and JSON) may be nested. Default: 256.</summary>
    public int MaxDepth { get; init; } = 256;

    /// <summary>
    /// How deep shared types may be nested in one another within one update. Yjs deletes and reads them by recursion, so a
    /// chain of some thousands breaks every client that loads it. Default: 512.
    /// </summary>
    public int MaxTypeDepth { get; init; } = 512;

    /// <summary>The highest clock, at most <see cref="HighestClock"/>. A larger one would use up a client's clock for ever. Default: 2^31.</summary>
    public uint MaxClock { get; init; } = HighestClock;

    /// <summary>Whether bytes after the end are ignored, as Yjs does. Default: false.</summary>
    public bool AllowTrailingBytes { get; init; }
}
