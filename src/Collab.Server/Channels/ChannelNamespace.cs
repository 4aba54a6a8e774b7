using Collab.Server.Rooms;

namespace Collab.Server.Channels;

/// <summary>What holds for all channels whose names match a pattern.</summary>
public sealed class ChannelNamespace
{
    /// <summary>Which channels: <c>*</c> stands for any run of characters, as in <c>news:*</c>.</summary>
    public string Pattern { get; set; } = "*";

    /// <summary>
    /// Whether messages are kept in memory only: a restart of the server loses them and gives the channel another epoch. Default: no.
    /// </summary>
    public bool Ephemeral { get; set; }

    /// <summary>The most messages that the history keeps. Default 100,000.</summary>
    public long HistoryMessages { get; set; } = 100_000;

    /// <summary>The most bytes of messages that the history keeps. Default 64 MiB.</summary>
    public long HistoryBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>How long the history keeps a message, in seconds. Default seven days.</summary>
    public long HistorySeconds { get; set; } = 7 * 24 * 3600;

    /// <summary>What a reader gets who does not read as fast as is published. Default: <see cref="SlowReaders.Recover"/>.</summary>
    public SlowReaders SlowReaders { get; set; } = SlowReaders.Recover;

    /// <summary>The largest data of a message, in bytes of JSON. Default 64 KiB.</summary>
    public int MaxMessageBytes { get; set; } = 64 * 1024;

    /// <summary>For how long a key that a message was published with is remembered, in seconds. Default 300.</summary>
    public int IdempotencySeconds { get; set; } = 300;

    /// <summary>How many messages a second all callers together may publish in this namespace on one server. 0, the default: any number.</summary>
    public int PublishesPerSecond { get; set; }

    internal LogRetention Retention => new(HistoryMessages, HistoryBytes, TimeSpan.FromSeconds(HistorySeconds));

    internal string? Fault(string section) =>
        string.IsNullOrEmpty(Pattern) ? $"{section}:Pattern must say which channels, such as news:*."
        : HistoryMessages < 1 ? $"{section}:HistoryMessages must be at least 1."
        : HistoryBytes < 1024 ? $"{section}:HistoryBytes must be at least 1024 bytes."
        : HistorySeconds is < 1 or > 3_155_760_000 ? $"{section}:HistorySeconds must be 1 to 3155760000 seconds."
        : !Enum.IsDefined(SlowReaders) ? $"{section}:SlowReaders must be Recover, Latest or Coalesce."
        : MaxMessageBytes is < 16 or > 4 * 1024 * 1024 ? $"{section}:MaxMessageBytes must be 16 to 4194304 bytes."
        : IdempotencySeconds is < 1 or > 604_800 ? $"{section}:IdempotencySeconds must be 1 to 604800 seconds."
        : PublishesPerSecond < 0 ? $"{section}:PublishesPerSecond must be 0 or more."
        : null;
}

/// <summary>What a reader gets who does not read as fast as is published.</summary>
public enum SlowReaders
{
    /// <summary>Everything, from the log, until he has caught up.</summary>
    Recover,

    /// <summary>Only the newest message of each event name: for cursors, prices.</summary>
    Latest,

    /// <summary>
    /// Everything, but neighbouring pieces of one text as one message: those of the same event and publisher whose data are objects with
    /// the same <c>id</c> and a <c>text</c>.
    /// </summary>
    Coalesce,
}
