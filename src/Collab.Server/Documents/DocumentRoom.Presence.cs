using Collab.Crdt;
using Collab.Protocol;

namespace Collab.Server.Documents;

// What is not part of the document: what members show, and what they say beside it.
internal sealed partial class DocumentRoom
{
    /// <summary>The target of a message that only gateways know, with the document's id and the text.</summary>
    public const string StatelessMessage = "DocumentStateless";

    /// <summary>Tells the members here and elsewhere what somebody shows.</summary>
    /// <param name="states">The states that are news.</param>
    /// <param name="userId">Whose they are.</param>
    /// <param name="exceptConnectionId">Who knows them already.</param>
    public Task SendAwarenessAsync(IReadOnlyCollection<AwarenessState> states, string? userId, string? exceptConnectionId = null)
    {
        if (states.Count > 0)
            Peers.Tell(userId, states);
        return SendAwarenessHereAsync(states, exceptConnectionId);
    }

    /// <summary>Sends something that is not part of the document to the members here and elsewhere whose protocol has such a thing.</summary>
    public Task SendStatelessAsync(string payload)
    {
        Peers.TellStateless(payload);
        return SendStatelessHereAsync(payload);
    }

    /// <summary>Another node sends something that is not part of the document.</summary>
    public Task SendStatelessHereAsync(string payload)
    {
        // Clients of the hub have channels for that.
        string[] members = [.. _members.Values.Where(member => member.Echoes).Select(member => member.ConnectionId)];
        return members.Length == 0 ? Task.CompletedTask : _connections.SendConnectionsAsync(members, StatelessMessage, [Id, payload]);
    }

    /// <summary>Another node tells what members there show.</summary>
    public void ShowOthers(string owner, string? userId, IReadOnlyList<AwarenessState> states) =>
        _ = SendAwarenessHereAsync(Awareness.Apply(owner, userId, states, Environment.TickCount64));

    /// <summary>Another node is gone, and with it those who were there.</summary>
    public void HideOthers(string owner) => _ = SendAwarenessHereAsync(Awareness.Remove(owner));

    private async Task SendAwarenessHereAsync(IReadOnlyCollection<AwarenessState> states, string? exceptConnectionId = null)
    {
        if (states.Count == 0)
            return;
        object?[] arguments = [Id, AwarenessUpdate.Encode(states)];
        if (exceptConnectionId is null)
            await _connections.SendGroupAsync(Group, HubContract.AwarenessUpdated, arguments);
        else
            await _connections.SendGroupExceptAsync(Group, HubContract.AwarenessUpdated, arguments, [exceptConnectionId]);
    }
}
