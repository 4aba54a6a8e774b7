using System.Diagnostics.CodeAnalysis;
using System.Security.Claims;
using Collab.Crdt;
using Collab.Protocol;
using Collab.Server.Documents.Data;
using Collab.Server.Fanout;
using Collab.Server.Rooms;
using Collab.Server.Security;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Collab.Server.Documents;

/// <summary>
/// Shared documents for whoever calls, over whatever wire: joining, updates, awareness. Every method checks names, sizes, bytes and
/// rights before it does anything, and throws <see cref="CollabException"/> with a stable code when one of them is not in order.
/// </summary>
internal sealed class DocumentService(
    DocumentRooms rooms,
    DocumentReader reader,
    CollabLifetimeManager connections,
    RoomAuthorizer authorizer,
    DocumentRates rates,
    IOptions<DocumentOptions> options)
{
    private const int MaxStateVectorBytes = 1024 * 1024;

    private readonly UpdateLimits _updateLimits = options.Value.UpdateLimits;
    private readonly UpdateLimits _stateVectorLimits = UpdateLimits.Default with { MaxBytes = MaxStateVectorBytes };
    private readonly AwarenessLimits _awarenessLimits = AwarenessLimits.Default;

    /// <summary>Lets the caller into a document. What is sent to it after this returns reaches him.</summary>
    /// <param name="caller">Who joins.</param>
    /// <param name="documentId">The document.</param>
    /// <param name="stateVector">What he has already.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="echoes">Whether he is sent what he pushes himself, too.</param>
    public async Task<JoinedDocument> JoinAsync(
        Caller caller, string documentId, byte[]? stateVector, CancellationToken cancellationToken, bool echoes = false)
    {
        CheckName(documentId);
        CheckStateVector(stateVector);
        var asked = authorizer.Version;
        var key = await CheckMayReadAsync(caller.User, documentId);
        var canWrite = await authorizer.MayAsync(caller.User, key, Rights.Write);

        var member = new DocumentMember(caller.ConnectionId, caller.UserId, canWrite, echoes);
        // Who joins again was in before.
        if (rooms.Find(documentId)?.Member(caller.ConnectionId)?.TryGoOut() == true)
            member.TryComeIn();
        var room = rooms.Enter(documentId, member);
        Membership membership;
        try
        {
            membership = await connections.JoinAsync(caller.ConnectionId, key, room.Group, room);
        }
        catch
        {
            room.Remove(caller.ConnectionId);
            throw;
        }

        DocumentState state;
        try
        {
            var others = room.Peers.AskAsync();
            state = await room.GetStateAsync(cancellationToken);
            await others;
        }
        catch
        {
            await LeaveAsync(caller, documentId);
            throw;
        }

        if (authorizer.Version != asked && !await ReviewAsync(caller, room, member))
            throw MayNotRead();
        connections.Follow(caller.ConnectionId, membership, state.Offset);
        if (member.TryComeIn())
            room.Events?.Joined(member);
        DocumentLog.Joined(rooms.Logger, caller.ConnectionId, documentId, state.Offset);
        return new JoinedDocument(
            state.DiffAgainst(stateVector),
            state.StateVector,
            state.Position,
            member.CanWrite ? DocumentAccess.Write : DocumentAccess.Read,
            AwarenessUpdate.Encode(room.Awareness.Present()));
    }

    /// <summary>Takes in an update of a member who may write. It is durable when this returns.</summary>
    /// <returns>Its position.</returns>
    public Task<Position> PushAsync(Caller caller, string documentId, byte[]? update, CancellationToken cancellationToken)
    {
        rates.CountUpdate(caller);
        var (room, member) = Membership(caller, documentId);
        if (!member.CanWrite)
            throw new CollabException(ErrorCodes.Forbidden, "you may read this document but not change it");
        CheckUpdate(caller, documentId, update);
        return PushAsync(room, member, update, null, cancellationToken);
    }

    /// <summary>Takes in an update of somebody who may write and is no member. It is durable when this returns.</summary>
    /// <returns>Its position.</returns>
    public async Task<Position> WriteAsync(
        Caller caller, string documentId, byte[] update, DocumentConditions conditions, CancellationToken cancellationToken)
    {
        await CheckMayWriteAsync(caller, documentId);
        CheckUpdate(caller, documentId, update);
        var room = rooms.Visit(documentId);
        try
        {
            var state = await room.GetStateAsync(cancellationToken);
            conditions.Check(state);
            var member = new DocumentMember(caller.ConnectionId, caller.UserId, canWrite: true, echoes: true);
            return await PushAsync(room, member, update, conditions.AreAny ? new Position(state.Epoch, state.Offset) : null, cancellationToken);
        }
        finally
        {
            room.EndVisit();
        }
    }

    /// <summary>Checks that somebody who is no member may write, and counts it as an update.</summary>
    /// <exception cref="CollabException"><c>invalid_name</c>, <c>forbidden</c>, <c>rate_limited</c>.</exception>
    public async Task CheckMayWriteAsync(Caller caller, string documentId)
    {
        rates.CountUpdate(caller);
        CheckName(documentId);
        if (!await authorizer.MayAsync(caller.User, new RoomKey(RoomKind.Document, documentId), Rights.Write))
            throw new CollabException(ErrorCodes.Forbidden, "you may not change this document");
    }

    private Task<Position> PushAsync(
        DocumentRoom room, DocumentMember member, byte[] update, Position? onlyAfter, CancellationToken cancellationToken)
    {
        if (Updates.IsEmptyV1(update))
            return HeadAsync(room, cancellationToken);
        // What only deletes is let in: it makes the document smaller.
        if (room.Compaction.DocumentBytes + update.Length > options.Value.MaxDocumentBytes && Updates.InsertersV1(update, Updates.EmptyV1).Count > 0)
            throw new CollabException(ErrorCodes.TooLarge, $"with this update the document would be larger than {options.Value.MaxDocumentBytes} bytes");
        if (!options.Value.EnforceClientIds)
            return room.PushAsync(update, member, onlyAfter);
        var writing = room.Writers.ClaimAsync(member.UserId, Updates.InsertersV1(update, Updates.EmptyV1));
        return writing is { IsCompletedSuccessfully: true, Result: true }
            ? room.PushAsync(update, member, onlyAfter)
            : PushClaimedAsync(room, member, update, writing, onlyAfter, cancellationToken);
    }

    /// <summary>The rest of a push that must wait to know under whose client ids it writes.</summary>
    private async Task<Position> PushClaimedAsync(
        DocumentRoom room, DocumentMember member, byte[] update, ValueTask<bool> writing, Position? onlyAfter, CancellationToken cancellationToken)
    {
        if (!await writing)
        {
            // What the document has already may be sent again by anybody: whole documents are.
            var state = await room.GetStateAsync(cancellationToken);
            if (!await room.Writers.ClaimAsync(member.UserId, Updates.InsertersV1(update, state.Update)))
            {
                DocumentLog.Forged(rooms.Logger, room.Id, member.ConnectionId);
                throw new CollabException(ErrorCodes.InvalidUpdate, "it writes under a client id that is another user's");
            }
        }

        return await room.PushAsync(update, member, onlyAfter);
    }

    /// <summary>Tells a member what he lacks.</summary>
    public async Task<SyncedDocument> SyncAsync(
        Caller caller, string documentId, byte[]? stateVector, CancellationToken cancellationToken)
    {
        var (room, _) = Membership(caller, documentId);
        CheckStateVector(stateVector);
        var state = await room.GetStateAsync(cancellationToken);
        return new SyncedDocument(state.DiffAgainst(stateVector), state.StateVector, state.Position);
    }

    /// <summary>Whether the document has all that an update of a member inserts and deletes.</summary>
    /// <exception cref="CollabException"><c>invalid_update</c>, <c>too_large</c>, <c>not_joined</c>.</exception>
    public async Task<bool> HasAsync(Caller caller, string documentId, byte[] update, CancellationToken cancellationToken)
    {
        var (room, _) = Membership(caller, documentId);
        CheckUpdate(caller, documentId, update);
        return Updates.IsEmptyV1(update) || Updates.CoversV1((await room.GetStateAsync(cancellationToken)).Update, update);
    }

    /// <summary>The awareness states of all who are present, as an awareness update, for a member.</summary>
    public byte[] Present(Caller caller, string documentId) =>
        AwarenessUpdate.Encode(Membership(caller, documentId).Room.Awareness.Present());

    /// <summary>A document as it stands, for somebody who does not join.</summary>
    public Task<DocumentState> GetAsync(ClaimsPrincipal user, string documentId, CancellationToken cancellationToken) =>
        VisitAsync(user, documentId, async room => CheckExists(await room.GetStateAsync(cancellationToken)));

    /// <summary>Reads the content of a document as it stands, for somebody who does not join.</summary>
    /// <returns>What <paramref name="read"/> returned, and the document's position.</returns>
    public Task<(T Value, string Position)> ReadAsync<T>(
        ClaimsPrincipal user, string documentId, Func<IDocumentContent, T> read, CancellationToken cancellationToken) =>
        VisitAsync(user, documentId, async room =>
        {
            CheckExists(await room.GetStateAsync(cancellationToken));
            var (value, state) = await reader.ReadAsync(room, read, cancellationToken);
            return (value, state.Position);
        });

    /// <summary>Takes in awareness states of a member and tells the others.</summary>
    public Task PushAwarenessAsync(Caller caller, string documentId, byte[]? awareness)
    {
        rates.CountAwareness(caller);
        var (room, member) = Membership(caller, documentId);
        if (awareness is null)
            throw new CollabException(ErrorCodes.InvalidAwareness, "there is no awareness update");
        if (awareness.Length > options.Value.MaxAwarenessBytes)
            throw TooLarge("awareness update", options.Value.MaxAwarenessBytes);
        if (AwarenessUpdate.TryDecode(awareness, _awarenessLimits, out var states) is { } fault)
            throw new CollabException(ErrorCodes.InvalidAwareness, $"{fault.Message} ({fault.Kind} at byte {fault.Offset})");

        // Clients repeat what they have heard of others.
        var own = options.Value.EnforceClientIds ? states.Where(state => !room.Writers.IsOthers(member.UserId, state.ClientId)) : states;
        var changed = room.Awareness.Apply(member.ConnectionId, member.UserId, [.. own], Environment.TickCount64);
        return room.SendAwarenessAsync(changed, member.UserId, member.Echoes ? null : caller.ConnectionId);
    }

    /// <summary>Takes in something of a member that is not part of the document, for the handlers or for all in the document.</summary>
    public Task TakeStatelessAsync(Caller caller, string documentId, string payload, bool toAll)
    {
        rates.CountAwareness(caller);
        var (room, member) = Membership(caller, documentId);
        if (payload.Length > options.Value.MaxAwarenessBytes)
            throw TooLarge("message", options.Value.MaxAwarenessBytes);
        if (!toAll)
            room.Events?.StatelessReceived(member, payload);
        else if (!member.CanWrite)
            throw new CollabException(ErrorCodes.Forbidden, "you may read this document but not speak to all who are in it");
        return toAll ? room.SendStatelessAsync(payload) : Task.CompletedTask;
    }

    /// <summary>Asks anew what a member may do. Who may not read any more is taken out and told.</summary>
    public async Task ReviewAsync(Caller caller, string documentId)
    {
        if (rooms.Find(documentId) is { } room && room.Member(caller.ConnectionId) is { } member && !await ReviewAsync(caller, room, member))
            await connections.SendConnectionAsync(caller.ConnectionId, HubContract.DocumentClosed, [documentId, DocumentCloseReasons.Forbidden]);
    }

    /// <summary>Takes the caller out of a document. Nothing happens when he is not in it.</summary>
    public async Task LeaveAsync(Caller caller, string documentId)
    {
        CheckName(documentId);
        if (rooms.Find(documentId) is not { } room)
            return;
        await connections.LeaveAsync(caller.ConnectionId, room.Key);
        await RemoveAsync(room, caller.ConnectionId);
    }

    /// <summary>Takes a connection that ends out of those of its rooms that are documents.</summary>
    public async Task LeaveAllAsync(string connectionId, IReadOnlyCollection<RoomKey> joined)
    {
        foreach (var key in joined)
        {
            if (key.Kind is RoomKind.Document && rooms.Find(key.Name) is { } room)
                await RemoveAsync(room, connectionId);
        }
    }

    /// <returns>False when he may not read any more, and was taken out.</returns>
    private async Task<bool> ReviewAsync(Caller caller, DocumentRoom room, DocumentMember member)
    {
        if (!await authorizer.MayAsync(caller.User, room.Key, Rights.Read))
        {
            await LeaveAsync(caller, room.Id);
            return false;
        }

        member.CanWrite = await authorizer.MayAsync(caller.User, room.Key, Rights.Write);
        return true;
    }

    private async Task<T> VisitAsync<T>(ClaimsPrincipal user, string documentId, Func<DocumentRoom, Task<T>> visit)
    {
        CheckName(documentId);
        await CheckMayReadAsync(user, documentId);
        var room = rooms.Visit(documentId);
        try
        {
            return await visit(room);
        }
        finally
        {
            room.EndVisit();
        }
    }

    /// <exception cref="CollabException"><c>not_found</c>: nothing was ever written.</exception>
    public static DocumentState CheckExists(DocumentState state) =>
        state.Offset > 0 ? state : throw new CollabException(ErrorCodes.NotFound, "there is no such document; it begins with its first update");

    private async Task RemoveAsync(DocumentRoom room, string connectionId)
    {
        var gone = room.Awareness.Remove(connectionId);
        // Told before the room may be given up.
        if (room.Member(connectionId) is { } member && member.TryGoOut())
            room.Events?.Left(member);
        room.Remove(connectionId);
        DocumentLog.Left(rooms.Logger, connectionId, room.Id);
        await room.SendAwarenessAsync(gone, userId: null);
    }

    private static async Task<Position> HeadAsync(DocumentRoom room, CancellationToken cancellationToken)
    {
        var state = await room.GetStateAsync(cancellationToken);
        return new Position(state.Epoch, state.Offset);
    }

    private (DocumentRoom Room, DocumentMember Member) Membership(Caller caller, string documentId)
    {
        CheckName(documentId);
        return rooms.Find(documentId) is { } room && room.Member(caller.ConnectionId) is { } member
            ? (room, member)
            : throw new CollabException(ErrorCodes.NotJoined, "join the document first");
    }

    private async Task<RoomKey> CheckMayReadAsync(ClaimsPrincipal user, string documentId)
    {
        var key = new RoomKey(RoomKind.Document, documentId);
        return await authorizer.MayAsync(user, key, Rights.Read)
            ? key
            : throw MayNotRead();
    }

    private static CollabException MayNotRead() => new(ErrorCodes.Forbidden, "you may not read this document");

    /// <exception cref="CollabException"><c>invalid_name</c>.</exception>
    public static void CheckName(string documentId)
    {
        if (!RoomName.IsValid(documentId))
            throw new CollabException(ErrorCodes.InvalidName, "a document id is 1 to 200 characters of A-Z a-z 0-9 . _ ~ : @ - / with no empty segment");
    }

    private void CheckUpdate(Caller caller, string documentId, [NotNull] byte[]? update)
    {
        if (update is null)
            throw new CollabException(ErrorCodes.InvalidUpdate, "there is no update");
        if (update.Length > options.Value.MaxUpdateBytes)
            throw TooLarge("update", options.Value.MaxUpdateBytes);
        if (Updates.ValidateV1(update, _updateLimits) is { } fault)
        {
            DocumentLog.Refused(rooms.Logger, update.Length, documentId, caller.ConnectionId, fault.Kind);
            throw new CollabException(ErrorCodes.InvalidUpdate, $"{fault.Message} ({fault.Kind} at byte {fault.Offset})");
        }
    }

    private void CheckStateVector([NotNull] byte[]? stateVector)
    {
        if (stateVector is null)
            throw new CollabException(ErrorCodes.InvalidStateVector, "there is no state vector");
        if (stateVector.Length > MaxStateVectorBytes)
            throw TooLarge("state vector", MaxStateVectorBytes);
        if (StateVector.Validate(stateVector, _stateVectorLimits) is { } fault)
            throw new CollabException(ErrorCodes.InvalidStateVector, $"{fault.Message} ({fault.Kind} at byte {fault.Offset})");
    }

    private static CollabException TooLarge(string what, int limit) =>
        new(ErrorCodes.TooLarge, $"the {what} is larger than {limit} bytes");
}
