using Collab.Protocol;

namespace Collab.Server.Consumers;

/// <summary>What a consumer makes of messages: into which channel, as which event. What it may publish to is said here and nowhere else.</summary>
public class ConsumerOptions
{
    /// <summary>
    /// What the consumer is known by: in logs, in metrics, and in the keys by which its messages are published once. 1 to 128 characters.
    /// Messages that come again under another name are published again.
    /// </summary>
    public string Name { get; set; } = "";

    /// <summary>The channel that all messages go to. Else <see cref="ChannelField"/>.</summary>
    public string? Channel { get; set; }

    /// <summary>The field of a message that names its channel, which must match one of <see cref="Channels"/>.</summary>
    public string? ChannelField { get; set; }

    /// <summary>Patterns of the channels that a message may name; <c>*</c> stands for any run of characters, as in <c>orders:*</c>. Without any, none.</summary>
    public IList<string> Channels { get; } = [];

    /// <summary>The field of a message that names its event. Default <c>event</c>.</summary>
    public string EventField { get; set; } = "event";

    /// <summary>The event of messages without that field. Default <c>message</c>.</summary>
    public string Event { get; set; } = "message";

    /// <summary>The field that identifies a message, also when its producer sends it twice. Without it, what the bus knows a message by.</summary>
    public string? IdField { get; set; }

    /// <summary>For how long a message that comes again is known, in seconds. 1 to 604800; default a day.</summary>
    public int IdempotencySeconds { get; set; } = 24 * 3600;

    /// <summary>A sentence that says which setting is missing or wrong; null when none is.</summary>
    /// <param name="section">The configuration section that the settings come from.</param>
    public virtual string? Fault(string section) =>
        !EventName.IsValid(Name) ? $"{section}:Name must be a name that this consumer keeps, 1 to {EventName.MaxLength} characters: what it has published is known under it."
        : string.IsNullOrEmpty(Channel) == string.IsNullOrEmpty(ChannelField)
            ? $"{section} needs Channel (the channel that all messages go to) or ChannelField (the field that names it), and not both."
        : !string.IsNullOrEmpty(Channel) && !RoomName.IsValid(Channel) ? $"{section}:Channel must be the name of a channel."
        : !string.IsNullOrEmpty(ChannelField) && Channels.Count == 0
            ? $"{section}:Channels must list patterns of the channels that messages may name, such as orders:*."
        : string.IsNullOrEmpty(EventField) ? $"{section}:EventField must be the name of a field."
        : !EventName.IsValid(Event) ? $"{section}:Event must be 1 to {EventName.MaxLength} characters without control characters."
        : IdempotencySeconds is < 1 or > 604_800 ? $"{section}:IdempotencySeconds must be 1 to 604800 seconds."
        : null;
}
