using System.Buffers;
using Collab.Crdt;
using Collab.Server.Nodes;
using MessagePack;

namespace Collab.Server.Documents;

/// <summary>What the nodes on which a document is open tell each other: what was committed, and who is present.</summary>
internal sealed class DocumentPeers(DocumentRoom room, NodeBus bus) : INodeListener
{
    private const int Updated = 1;
    private const int Shown = 2;
    private const int WhoIsThere = 3;
    private const int Stateless = 4;
    private const int Deleted = 5;

    /// <summary>How long those who join wait to hear who is present elsewhere.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    private readonly TaskCompletionSource _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? _asked;
    private int _isOpen;

    /// <inheritdoc cref="NodeBus.IsShared"/>
    public bool AreThere => bus.IsShared;

    public void Open()
    {
        if (Interlocked.Exchange(ref _isOpen, 1) == 0)
            bus.Join(room.Group, this);
    }

    public void Close() => bus.Leave(room.Group, this);

    /// <summary>Tells what this node has committed.</summary>
    public void Tell(DocumentFrame frame) => bus.Say(room.Group, Updated, (ref writer) =>
    {
        writer.Write(frame.Epoch);
        writer.Write(frame.After);
        writer.Write(frame.Through);
        writer.Write(frame.SoleWriter);
        writer.Write(frame.Update);
    });

    /// <summary>Tells what members on this node show.</summary>
    public void Tell(string? userId, IReadOnlyCollection<AwarenessState> states) => bus.Say(room.Group, Shown, (ref writer) =>
    {
        writer.Write(userId);
        writer.Write(AwarenessUpdate.Encode(states));
    });

    /// <summary>Passes on what is not part of the document.</summary>
    public void TellStateless(string payload) => bus.Say(room.Group, Stateless, (ref writer) => writer.Write(payload));

    /// <summary>The document is no more.</summary>
    public void TellDeleted() => bus.Say(room.Group, Deleted, static (ref _) => { });

    /// <summary>Waits a moment for the others to say who is present, when nobody here has heard it yet.</summary>
    public Task AskAsync() => !AreThere ? Task.CompletedTask : _asked ??= Task.WhenAny(_heard.Task, Task.Delay(Patience));

    public void Receive(string node, int kind, ref MessagePackReader body)
    {
        switch (kind)
        {
            case Updated:
                var frame = new DocumentFrame(
                    body.ReadString()!, body.ReadInt64(), body.ReadInt64(), SoleWriter: body.ReadString(), Update: ReadBytes(ref body));
                _ = room.TakeAsync(frame);
                break;
            case Shown:
                var userId = body.ReadString();
                if (AwarenessUpdate.TryDecode(ReadBytes(ref body), AwarenessLimits.Default, out var states) is not null)
                    return;
                room.ShowOthers(OwnerOf(node), userId, states);
                _heard.TrySetResult();
                break;
            case Stateless:
                _ = room.SendStatelessHereAsync(body.ReadString()!);
                break;
            case Deleted:
                room.NoteDeleted();
                break;
            case WhoIsThere:
                foreach (var user in room.Awareness.PresentHere())
                    Tell(user.Key, [.. user]);
                break;
        }
    }

    public void Joined()
    {
        bus.Say(room.Group, WhoIsThere, static (ref _) => { });
        foreach (var user in room.Awareness.PresentHere())
            Tell(user.Key, [.. user]);
    }

    public void Lost(string node) => room.HideOthers(OwnerOf(node));

    /// <summary>The owner of what is shown on another node.</summary>
    public static string OwnerOf(string node) => DocumentAwareness.Elsewhere + node;

    private static byte[] ReadBytes(ref MessagePackReader body) => body.ReadBytes()!.Value.ToArray();
}
