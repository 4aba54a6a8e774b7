namespace Collab.Server.Fanout;

/// <summary>How much may wait for a slow reader. Configuration section <c>Collab:Fanout</c>.</summary>
public sealed class FanoutOptions
{
    /// <summary>
    /// The most that an outbox holds, in bytes of serialized messages. Beyond it the outbox is emptied and the member is served from
    /// the log. 16 KiB to 64 MiB; default 1 MiB.
    /// </summary>
    public int OutboxBytes { get; set; } = 1024 * 1024;

    /// <summary>
    /// The longest that a message waits in an outbox, in milliseconds, before the outbox is emptied in the same way. Default 5,000.
    /// </summary>
    public int OutboxMilliseconds { get; set; } = 5_000;

    /// <summary>
    /// How long one write may make no progress, in milliseconds, before the connection is closed; its client comes back and
    /// catches up. Default 5,000.
    /// </summary>
    public int WriteTimeoutMilliseconds { get; set; } = 5_000;

    /// <summary>
    /// After so long a silence something is written to every reader, in milliseconds: proxies drop connections on which nothing passes.
    /// Over WebSockets and SSE hub connections may wait up to a second longer; their long polls are answered then. 1,000 to 15,000,
    /// as clients give a silent server up after 30 s; default 3,000.
    /// </summary>
    public int KeepAliveMilliseconds { get; set; } = 3_000;

    internal string? Fault() =>
        OutboxBytes is < 16 * 1024 or > 64 * 1024 * 1024 ? "Collab:Fanout:OutboxBytes must be 16384 to 67108864 bytes."
        : OutboxMilliseconds is < 100 or > 60_000 ? "Collab:Fanout:OutboxMilliseconds must be 100 to 60000 milliseconds."
        : WriteTimeoutMilliseconds is < 500 or > 60_000 ? "Collab:Fanout:WriteTimeoutMilliseconds must be 500 to 60000 milliseconds."
        : KeepAliveMilliseconds is < 1000 or > 15_000 ? "Collab:Fanout:KeepAliveMilliseconds must be 1000 to 15000 milliseconds."
        : null;
}
