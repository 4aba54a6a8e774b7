namespace Collab.Server.Events;

/// <summary>How events are delivered. Configuration section <c>Collab:Events</c>, in which the sinks stand too.</summary>
public sealed class EventOptions
{
    /// <summary>CloudEvents' <c>source</c>: which installation tells it, as a URI reference. Default <c>/collab</c>.</summary>
    public string Source { get; set; } = "/collab";

    /// <summary>How long an event waits for its sink, in hours; then it is a dead letter. Default 96.</summary>
    public int KeepHours { get; set; } = 96;

    /// <summary>
    /// The waits between the attempts to deliver an event, in seconds, each a fifth shorter or longer by chance; after the last it is a dead letter.
    /// Default: 1, 5, 30, 120, 300, 1,800, 7,200, 18,000, 36,000, 50,400, 72,000, 86,400, which is about three days.
    /// </summary>
    public IList<double> RetrySeconds { get; } = [];

    /// <summary>How many rooms' events are on their way to one sink at the same time. Default 16.</summary>
    public int MaxConcurrency { get; set; } = 16;

    /// <summary>How long a sink may take for what it was handed at once, in seconds. Default 20.</summary>
    public int TimeoutSeconds { get; set; } = 20;

    /// <summary>The most content of one event, in bytes of the update or of the messages' data; more is left out, or told in several events. Default 65,536.</summary>
    public int MaxContentBytes { get; set; } = 65_536;

    /// <summary>How many dead letters of a sink are kept; the oldest go first. Default 10,000.</summary>
    public int KeepDeadLetters { get; set; } = 10_000;

    internal IReadOnlyList<double> Waits => RetrySeconds.Count > 0 ? [.. RetrySeconds] : DefaultWaits;

    private static readonly double[] DefaultWaits = [1, 5, 30, 120, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

    internal string? Fault() =>
        !Uri.IsWellFormedUriString(Source, UriKind.RelativeOrAbsolute) || Source.Length == 0 ? "Collab:Events:Source must be a URI, such as https://collab.example.com or /collab."
        : KeepHours is < 1 or > 8_760 ? "Collab:Events:KeepHours must be 1 to 8760 hours."
        : RetrySeconds.Any(seconds => seconds is <= 0 or > 604_800) || RetrySeconds.Count > 100 ? "Collab:Events:RetrySeconds must be at most 100 waits of up to 604800 seconds."
        : MaxConcurrency is < 1 or > 1_000 ? "Collab:Events:MaxConcurrency must be 1 to 1000."
        : TimeoutSeconds is < 1 or > 600 ? "Collab:Events:TimeoutSeconds must be 1 to 600 seconds."
        : MaxContentBytes is < 0 or > 16 * 1024 * 1024 ? "Collab:Events:MaxContentBytes must be 0 to 16777216 bytes."
        : KeepDeadLetters is < 1 or > 1_000_000 ? "Collab:Events:KeepDeadLetters must be 1 to 1000000."
        : null;
}
