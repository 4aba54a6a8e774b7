using System.Buffers;
using System.Collections.ObjectModel;
using Collab.Protocol;
using Collab.Server.Nodes;
using MessagePack;

namespace Collab.Server.Channels;

/// <summary>What the nodes on which a channel is open tell each other: what was published, and who is present.</summary>
internal sealed class ChannelPeers(ChannelRoom room, NodeBus bus) : INodeListener
{
    private const int Published = 1;
    private const int Present = 2;
    private const int WhoIsThere = 3;
    private const int Restarted = 4;

    /// <summary>How long those who ask for members wait to hear who is present elsewhere.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    private readonly TaskCompletionSource _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? _asked;
    private int _isOpen;

    public void Open()
    {
        if (Interlocked.Exchange(ref _isOpen, 1) == 0)
            bus.Join(room.Group, this);
    }

    public void Close() => bus.Leave(room.Group, this);

    /// <summary>Tells what this node has committed.</summary>
    public void Tell(ChannelFrame frame) => bus.Say(room.Group, Published, (ref writer) =>
    {
        writer.Write(frame.Epoch);
        writer.Write(frame.After);
        writer.WriteArrayHeader(frame.Messages.Count);
        foreach (var stored in frame.Messages)
        {
            var message = stored.Message;
            writer.Write(stored.Offset);
            writer.Write(message.Id == message.Position ? null : message.Id);
            writer.Write(message.Event);
            writer.Write(stored.Data.Utf8.Span);
            writer.Write(message.PublishedAt);
            writer.Write(message.Publisher);
        }
    });

    /// <summary>Tells who has come on this node and who has gone.</summary>
    /// <param name="isWhole">Those who have come are all who are present here.</param>
    /// <param name="joined">Who has come, by key.</param>
    /// <param name="left">The keys of those who have gone.</param>
    public void Tell(bool isWhole, IReadOnlyDictionary<string, ChannelMember> joined, IReadOnlyCollection<string> left) =>
        bus.Say(room.Group, Present, (ref writer) =>
        {
            writer.Write(isWhole);
            writer.WriteMapHeader(joined.Count);
            foreach (var (key, member) in joined)
            {
                writer.Write(key);
                writer.Write(member.ConnectionId);
                writer.Write(member.UserId);
                writer.Write(((JsonData)member.Data!).Utf8.Span);
            }

            writer.WriteArrayHeader(left.Count);
            foreach (var key in left)
                writer.Write(key);
        });

    /// <summary>Tells that the log has begun anew.</summary>
    public void TellRestarted() => bus.Say(room.Group, Restarted, static (ref _) => { });

    /// <summary>Waits a moment for the others to say who is present, when nobody here has heard it yet.</summary>
    public Task AskAsync() => !bus.IsShared ? Task.CompletedTask : _asked ??= Task.WhenAny(_heard.Task, Task.Delay(Patience));

    public void Receive(string node, int kind, ref MessagePackReader body)
    {
        switch (kind)
        {
            case Published:
                _ = room.TakeAsync(ReadFrame(ref body));
                break;
            case Present:
                ReadPresent(node, ref body);
                _heard.TrySetResult();
                break;
            case WhoIsThere:
                room.Presence.TellAll();
                break;
            case Restarted:
                room.NoteRestarted();
                break;
        }
    }

    public void Joined()
    {
        bus.Say(room.Group, WhoIsThere, static (ref _) => { });
        room.Presence.TellAll();
    }

    public void Lost(string node) => room.Presence.TakeOthers(node, isWhole: true, ReadOnlyDictionary<string, ChannelMember>.Empty, []);

    private static ChannelFrame ReadFrame(ref MessagePackReader body)
    {
        var (epoch, after) = (body.ReadString()!, body.ReadInt64());
        var messages = new List<StoredMessage>(body.ReadArrayHeader());
        for (var left = messages.Capacity; left > 0; left--)
        {
            var offset = body.ReadInt64();
            var position = new Position(epoch, offset).ToString();
            messages.Add(new StoredMessage(offset, new ChannelMessage(
                position, body.ReadString() ?? position, body.ReadString()!, ReadData(ref body), body.ReadInt64(), body.ReadString())));
        }

        return new ChannelFrame(epoch, after, messages);
    }

    private void ReadPresent(string node, ref MessagePackReader body)
    {
        var isWhole = body.ReadBoolean();
        var joined = new Dictionary<string, ChannelMember>(StringComparer.Ordinal);
        for (var left = body.ReadMapHeader(); left > 0; left--)
            joined[body.ReadString()!] = new ChannelMember(body.ReadString()!, body.ReadString(), ReadData(ref body));
        var gone = new string[body.ReadArrayHeader()];
        for (var i = 0; i < gone.Length; i++)
            gone[i] = body.ReadString()!;
        room.Presence.TakeOthers(node, isWhole, joined, gone);
    }

    private static JsonData ReadData(ref MessagePackReader body) => JsonData.FromStored(body.ReadBytes()!.Value.ToArray());
}
