using Collab.Protocol;
using Collab.Server.Channels.Handlers;
using Collab.Server.Documents.Handlers;
using Collab.Server.Rooms;

namespace Collab.Server.Events;

/// <summary>Writes down what happens in documents and stands in no log. Their changes are written down as they are committed.</summary>
internal sealed class DocumentEventHandler(EventOutbox outbox) : IDocumentHandler
{
    public ValueTask JoinedAsync(DocumentContext document, DocumentParticipant participant, CancellationToken cancellationToken) =>
        outbox.AddAsync(EventNote.OfParticipant(EventTypes.DocumentJoined, document.Id, participant), cancellationToken);

    public ValueTask LeftAsync(DocumentContext document, DocumentParticipant participant, CancellationToken cancellationToken) =>
        outbox.AddAsync(EventNote.OfParticipant(EventTypes.DocumentLeft, document.Id, participant), cancellationToken);

    public ValueTask StoredAsync(DocumentContext document, CancellationToken cancellationToken)
    {
        var head = document.Head;
        var offset = head?.Offset ?? 0;
        return outbox.AddAsync(
            new EventNote(EventTypes.DocumentStored, RoomKind.Document, document.Id) { Epoch = head?.Epoch, After = offset, Through = offset }, cancellationToken);
    }
}

/// <summary>Writes down what happens in channels and stands in no log.</summary>
internal sealed class ChannelEventHandler(EventOutbox outbox) : IChannelHandler
{
    public ValueTask JoinedAsync(ChannelContext channel, ChannelMember member, CancellationToken cancellationToken) =>
        outbox.AddAsync(EventNote.OfMember(EventTypes.MemberJoined, channel.Name, member), cancellationToken);

    public ValueTask LeftAsync(ChannelContext channel, ChannelMember member, CancellationToken cancellationToken) =>
        outbox.AddAsync(EventNote.OfMember(EventTypes.MemberLeft, channel.Name, member), cancellationToken);
}
