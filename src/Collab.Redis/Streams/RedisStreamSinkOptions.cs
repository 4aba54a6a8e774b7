namespace Collab.Redis.Streams;

/// <summary>A stream that events are added to. Configuration sections <c>Collab:Events:RedisStreams:0</c> and on, beside which events it gets.</summary>
internal sealed class RedisStreamSinkOptions
{
    /// <summary>The connection string of its Redis; null for <c>ConnectionStrings:Redis</c>.</summary>
    public string? Connection { get; set; }

    /// <summary>The stream's key.</summary>
    public string Stream { get; set; } = "";

    /// <summary>About how many entries the stream keeps; 0 for all. Default 1,000,000.</summary>
    public int MaxLength { get; set; } = 1_000_000;

    public string? Fault(string section) =>
        string.IsNullOrEmpty(Stream) ? $"{section}:Stream must be the key of a Redis stream."
        : MaxLength < 0 ? $"{section}:MaxLength must be 0 (keep all) or more entries."
        : null;
}
