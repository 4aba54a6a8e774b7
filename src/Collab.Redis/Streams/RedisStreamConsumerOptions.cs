using Collab.Server.Consumers;

namespace Collab.Redis.Streams;

/// <summary>A stream whose entries are published in channels. Configuration sections <c>Collab:Consumers:RedisStreams:0</c> and on.</summary>
internal sealed class RedisStreamConsumerOptions : ConsumerOptions
{
    /// <summary>The connection string of its Redis; null for <c>ConnectionStrings:Redis</c>.</summary>
    public string? Connection { get; set; }

    /// <summary>The stream's key.</summary>
    public string Stream { get; set; } = "";

    /// <summary>The consumer group, made when it is missing. Nobody else may read in it.</summary>
    public string Group { get; set; } = "collab";

    /// <summary>Whether a group that is made begins with what comes from then on, and not with the first entry of the stream.</summary>
    public bool FromEnd { get; set; }

    /// <summary>The field of an entry that has the message's data, as JSON. Default <c>data</c>.</summary>
    public string DataField { get; set; } = "data";

    /// <summary>How many entries are read at once, 1 to 1000. Default 100.</summary>
    public int Batch { get; set; } = 100;

    /// <summary>How often an empty stream is looked at, in milliseconds. 5 to 60000; default 100.</summary>
    public int PollMilliseconds { get; set; } = 100;

    /// <summary>So long after the node that reads was last heard of by Redis, another one takes over, in seconds. 1 to 3600; default 10.</summary>
    public int LeaseSeconds { get; set; } = 10;

    public override string? Fault(string section) =>
        base.Fault(section) is { } fault ? fault
        : string.IsNullOrEmpty(Stream) ? $"{section}:Stream must be the key of a Redis stream."
        : string.IsNullOrEmpty(Group) ? $"{section}:Group must be the name of a consumer group."
        : string.IsNullOrEmpty(DataField) ? $"{section}:DataField must be the name of a field."
        : Batch is < 1 or > 1000 ? $"{section}:Batch must be 1 to 1000 entries."
        : PollMilliseconds is < 5 or > 60_000 ? $"{section}:PollMilliseconds must be 5 to 60000 milliseconds."
        : LeaseSeconds is < 1 or > 3600 ? $"{section}:LeaseSeconds must be 1 to 3600 seconds."
        : null;
}
