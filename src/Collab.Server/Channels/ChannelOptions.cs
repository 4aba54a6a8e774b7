namespace Collab.Server.Channels;

/// <summary>Limits and habits of channels. Configuration section <c>Collab:Channels</c>.</summary>
public sealed class ChannelOptions
{
    /// <summary>
    /// What holds for which channels. The first whose pattern matches a channel's name holds for it; for the others
    /// <see cref="Default"/> does.
    /// </summary>
    public IList<ChannelNamespace> Namespaces { get; } = [];

    /// <summary>What holds for channels that are in no namespace.</summary>
    public ChannelNamespace Default { get; } = new();

    /// <summary>
    /// The shortest time between two commits of one channel with a hundred readers or more, in milliseconds; with fewer it is that part of
    /// it. A first message is committed at once; while messages keep coming, those of one beat are committed together and sent on in one
    /// write. 0 to 1000; default 10.
    /// </summary>
    public int BeatMilliseconds { get; set; } = 10;

    /// <summary>How long a channel that nobody is in stays in memory, in milliseconds. Default 10,000.</summary>
    public int LingerMilliseconds { get; set; } = 10_000;

    /// <summary>How much memory the newest messages of open channels may take in all, in bytes. Default 128 MiB.</summary>
    public long ResidentBytes { get; set; } = 128L * 1024 * 1024;

    /// <summary>
    /// How many messages a second one caller may publish: a connection, or over HTTP a user. 0 allows any number. Default 5,000.
    /// </summary>
    public int PublishesPerSecond { get; set; } = 5_000;

    /// <summary>How many of them may come at once after a pause; a batch cannot be longer. Default 10,000.</summary>
    public int PublishBurst { get; set; } = 10_000;

    /// <summary>
    /// How long a user whose last connection ended is still shown as present, in milliseconds: a reload shows nothing. Default 5,000.
    /// </summary>
    public int PresenceGraceMilliseconds { get; set; } = 5_000;

    /// <summary>The largest data that a member may show, in bytes of JSON. Default 4 KiB.</summary>
    public int MaxPresenceBytes { get; set; } = 4096;

    /// <summary>How long a browser's EventSource waits before it comes back after a cut, in milliseconds (its <c>retry:</c>). Default 1,000.</summary>
    public int RetryMilliseconds { get; set; } = 1_000;

    /// <summary>How often channels that nobody is in are looked through for messages that are too old, in milliseconds. Default 60,000.</summary>
    public int TrimMilliseconds { get; set; } = 60_000;

    /// <summary>
    /// With how many different filters, and as how many users who see different rows, one channel may be followed at a time on one server. Each
    /// costs a look at every message. Default 1,000.
    /// </summary>
    public int MaxViews { get; set; } = 1_000;

    /// <summary>Patterns of the channels in which only the server publishes.</summary>
    internal List<string> PublishedByServer { get; } = [];

    internal bool IsPublishedByServer(string channel) => PublishedByServer.Exists(pattern => Security.Grant.Matches(pattern, channel));

    /// <summary>What holds for a channel.</summary>
    internal ChannelNamespace Of(string channel)
    {
        foreach (var candidate in Namespaces)
        {
            if (Security.Grant.Matches(candidate.Pattern, channel))
                return candidate;
        }

        return Default;
    }

    internal string? Fault() =>
        BeatMilliseconds is < 0 or > 1000 ? "Collab:Channels:BeatMilliseconds must be 0 to 1000 milliseconds."
        : LingerMilliseconds is < 0 or > 3_600_000 ? "Collab:Channels:LingerMilliseconds must be 0 to 3600000 milliseconds."
        : ResidentBytes < 0 ? "Collab:Channels:ResidentBytes must be 0 or more."
        : PublishesPerSecond < 0 ? "Collab:Channels:PublishesPerSecond must be 0 or more."
        : PublishBurst < 1 ? "Collab:Channels:PublishBurst must be at least 1."
        : PresenceGraceMilliseconds is < 0 or > 600_000 ? "Collab:Channels:PresenceGraceMilliseconds must be 0 to 600000 milliseconds."
        : MaxPresenceBytes is < 2 or > 64 * 1024 ? "Collab:Channels:MaxPresenceBytes must be 2 to 65536 bytes."
        : RetryMilliseconds is < 100 or > 60_000 ? "Collab:Channels:RetryMilliseconds must be 100 to 60000 milliseconds."
        : TrimMilliseconds is < 1000 or > 86_400_000 ? "Collab:Channels:TrimMilliseconds must be 1000 to 86400000 milliseconds."
        : MaxViews < 0 ? "Collab:Channels:MaxViews must be 0 or more."
        : Default.Fault("Collab:Channels:Default")
            ?? Namespaces.Select((space, i) => space.Fault($"Collab:Channels:Namespaces:{i}")).FirstOrDefault(fault => fault is not null);
}
