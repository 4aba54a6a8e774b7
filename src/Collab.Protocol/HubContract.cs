namespace Collab.Protocol;

/// <summary>Where the hub is and the names of what is called over it. See <c>docs/protocol.md</c>.</summary>
public static class HubContract
{
    /// <summary>The hub's path.</summary>
    public const string Path = "/hubs/collab";

    /// <summary>Client: <c>(documentId, update, position)</c>, an update of a joined document that is durable.</summary>
    public const string DocumentUpdated = nameof(DocumentUpdated);

    /// <summary>Client: <c>(documentId, awareness)</c>, changed awareness states of a joined document.</summary>
    public const string AwarenessUpdated = nameof(AwarenessUpdated);

    /// <summary>Client: <c>(documentId, reason)</c>, the membership ended on the server's side; see <see cref="DocumentCloseReasons"/>.</summary>
    public const string DocumentClosed = nameof(DocumentClosed);

    /// <summary>Client: <c>(channel, message)</c>, a <see cref="ChannelMessage"/> of a subscribed channel that is durable.</summary>
    public const string MessageReceived = nameof(MessageReceived);

    /// <summary>
    /// Client: <c>(channel, position)</c>, everything up to this position that belongs to a subscription with a filter has come: come back with it
    /// as <c>after</c>.
    /// </summary>
    public const string ChannelAdvanced = nameof(ChannelAdvanced);

    /// <summary>Client: <c>(channel, reason)</c>, the subscription ended on the server's side; see <see cref="ChannelCloseReasons"/>.</summary>
    public const string ChannelClosed = nameof(ChannelClosed);

    /// <summary>Client: <c>(channel, change)</c>, a <see cref="Protocol.MembersChanged"/> of a channel subscribed with presence.</summary>
    public const string MembersChanged = nameof(MembersChanged);
}
