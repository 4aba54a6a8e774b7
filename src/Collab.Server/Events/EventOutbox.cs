using Collab.Server.Nodes;
using Collab.Server.Rooms;

namespace Collab.Server.Events;

/// <summary>
/// Writes down, in the store and in the commit of what they tell of, the events that sinks want. Where there are several nodes the notes are spread
/// over a few logs, those of one room always in the same one, so that nodes seldom wait for each other; each log costs something in every commit.
/// </summary>
internal sealed class EventOutbox(IRoomLog log, EventSinks sinks, NodeBus bus)
{
    /// <summary>How many logs there are at most. They are stored; never change it.</summary>
    public const int Shards = 8;

    private static readonly RoomKey[] Keys = [.. Enumerable.Range(0, Shards).Select(shard => new RoomKey(RoomKind.Events, $"outbox/{shard}"))];

    /// <summary>Called after something was written here, with the number of the log.</summary>
    public event Action<int>? Written;

    public bool Wants(string type, string room) => sinks.All.Count > 0 && sinks.Wants(type, room);

    public static RoomKey KeyOf(int shard) => Keys[shard];

    /// <summary>Appends to a document's or a channel's log, and says so in the same commit if anybody wants to know.</summary>
    /// <inheritdoc cref="IRoomLog.AppendAsync(RoomKey, IReadOnlyList{NewLogEntry}, CancellationToken)"/>
    public ValueTask<LogAppend> AppendAsync(RoomKey room, IReadOnlyList<NewLogEntry> entries, CancellationToken cancellationToken)
    {
        var type = room.Kind == RoomKind.Channel ? EventTypes.ChannelPublished : EventTypes.DocumentChanged;
        return Wants(type, room.Name)
            ? AppendAsync(room, entries, appended => NoteOf(type, room, entries, appended), cancellationToken)
            : log.AppendAsync(room, entries, cancellationToken);
    }

    /// <summary>Appends to a log, and says so in the same commit with a certain note.</summary>
    public ValueTask<LogAppend> AppendAsync(RoomKey room, IReadOnlyList<NewLogEntry> entries, EventNote note, CancellationToken cancellationToken) =>
        Wants(note.Type, note.Room) ? AppendAsync(room, entries, _ => note, cancellationToken) : log.AppendAsync(room, entries, cancellationToken);

    /// <summary>Appends to several logs in one commit, and says so in it for each channel of which anybody wants to know.</summary>
    /// <returns>What each append did, in their order, and then what was said; null, and nothing is done, when a room is not where it must be.</returns>
    public async ValueTask<IReadOnlyList<LogAppend>?> AppendAsync(IReadOnlyList<RoomAppend> appends, CancellationToken cancellationToken)
    {
        var told = Enumerable.Range(0, appends.Count)
            .Where(i => appends[i].Room.Kind is RoomKind.Channel && Wants(EventTypes.ChannelPublished, appends[i].Room.Name))
            .ToLookup(i => ShardOf(appends[i].Room.Name));
        var notes = told.Select(shard => new RoomAppend(Keys[shard.Key], [], Derive: done =>
        [
            .. shard.Select(i => NoteOf(EventTypes.ChannelPublished, appends[i].Room, appends[i].Entries, done[i]))
                .OfType<EventNote>()
                .Select(note => new NewLogEntry(note.Encode())),
        ]));
        var appended = await log.AppendAsync([.. appends, .. notes], cancellationToken);
        if (appended is null)
            return null;
        foreach (var shard in told)
            Written?.Invoke(shard.Key);
        return appended;
    }

    /// <summary>Writes down what no log tells.</summary>
    public async ValueTask AddAsync(EventNote note, CancellationToken cancellationToken)
    {
        if (!Wants(note.Type, note.Room))
            return;
        var shard = ShardOf(note.Room);
        await log.AppendAsync(Keys[shard], [new NewLogEntry(note.Encode())], cancellationToken);
        Written?.Invoke(shard);
    }

    /// <summary>Does an append, and says so in the same commit if anybody wants to know.</summary>
    /// <returns>False, and nothing is done, when the room is not where it must be.</returns>
    public async ValueTask<bool> TryAppendAsync(RoomAppend append, EventNote? note, CancellationToken cancellationToken)
    {
        if (note is null || !Wants(note.Type, note.Room))
            return await log.AppendAsync([append], cancellationToken) is not null;
        var shard = ShardOf(note.Room);
        if (await log.AppendAsync([append, new(Keys[shard], [new NewLogEntry(note.Encode())])], cancellationToken) is null)
            return false;
        Written?.Invoke(shard);
        return true;
    }

    private async ValueTask<LogAppend> AppendAsync(
        RoomKey room, IReadOnlyList<NewLogEntry> entries, Func<LogAppend, EventNote?> noteOf, CancellationToken cancellationToken)
    {
        var shard = ShardOf(room.Name);
        RoomAppend[] appends =
        [
            new(room, entries),
            new(Keys[shard], [], Derive: done => noteOf(done[0]) is { } note ? [new NewLogEntry(note.Encode())] : []),
        ];
        // Nothing is asked of the logs, so it is never refused.
        var appended = (await log.AppendAsync(appends, cancellationToken))!;
        Written?.Invoke(shard);
        return appended[0];
    }

    private int ShardOf(string room)
    {
        if (!bus.IsShared)
            return 0;
        // FNV-1a: the same on every node and after every start.
        var hash = 2166136261u;
        foreach (var c in room)
            hash = (hash ^ c) * 16777619u;
        return (int)(hash % Shards);
    }

    private static EventNote? NoteOf(string type, RoomKey room, IReadOnlyList<NewLogEntry> entries, LogAppend appended)
    {
        var count = 0;
        foreach (var offset in appended.Offsets)
        {
            if (offset > appended.After + count)
                count++;
        }

        // Repeats were told of when they came first.
        return count == 0 ? null : new EventNote(type, room.Kind, room.Name)
        {
            Epoch = appended.Epoch,
            After = appended.After,
            Through = appended.After + count,
            Users = UsersOf(entries),
        };
    }

    private static List<string>? UsersOf(IReadOnlyList<NewLogEntry> entries)
    {
        List<string>? users = null;
        for (var i = 0; i < entries.Count; i++)
        {
            if (entries[i].Author is { } author && users?.Contains(author) != true)
                (users ??= []).Add(author);
        }

        return users;
    }
}
