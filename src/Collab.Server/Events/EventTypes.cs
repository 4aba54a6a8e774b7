namespace Collab.Server.Events;

/// <summary>What events tell of. On the wire <see cref="Prefix"/> stands before it.</summary>
public static class EventTypes
{
    /// <summary>What the types of CloudEvents begin with.</summary>
    public const string Prefix = "collab.";

    /// <summary>Updates of a document are durable. Data: <c>document</c>, <c>after</c> and <c>position</c> (what came between them is meant), <c>users</c>, <c>update</c> (base64).</summary>
    public const string DocumentChanged = "document.changed";

    /// <summary>A document was changed and has been left alone for a while since. Data: <c>document</c>, <c>position</c>.</summary>
    public const string DocumentStored = "document.stored";

    /// <summary>Somebody has come into a document. Data: <c>document</c>, <c>user</c>, <c>connection</c>, <c>canWrite</c>.</summary>
    public const string DocumentJoined = "document.joined";

    /// <summary>Somebody has left a document. Data as of <see cref="DocumentJoined"/>.</summary>
    public const string DocumentLeft = "document.left";

    /// <summary>A document has a new version. Data: <c>document</c>, <c>version</c>.</summary>
    public const string VersionMade = "document.version_made";

    /// <summary>Messages of a channel are durable. Data: <c>channel</c>, <c>after</c>, <c>position</c>, <c>messages</c>.</summary>
    public const string ChannelPublished = "channel.published";

    /// <summary>A channel that nobody subscribed to has a subscriber. Data: <c>channel</c>.</summary>
    public const string ChannelOccupied = "channel.occupied";

    /// <summary>A channel has no subscriber any more. Data: <c>channel</c>.</summary>
    public const string ChannelVacated = "channel.vacated";

    /// <summary>Somebody is shown as a member of a channel, or shows something else. Data: <c>channel</c>, <c>user</c>, <c>connection</c>, <c>shows</c>.</summary>
    public const string MemberJoined = "member.joined";

    /// <summary>Somebody is no member of a channel any more. Data as of <see cref="MemberJoined"/>.</summary>
    public const string MemberLeft = "member.left";
}
