using Collab.Protocol;
using Collab.Server.Rooms;

namespace Collab.Storage.GroupCommit;

/// <summary>Entries to append to one room, in order and all or none.</summary>
internal sealed class AppendWrite : LogWrite<LogAppend>
{
    public AppendWrite(RoomKey room, IReadOnlyList<NewLogEntry> entries)
    {
        Room = room;
        Entries = entries;
        Bytes = base.Bytes;
        for (var i = 0; i < entries.Count; i++)
            Bytes += entries[i].Data.Length + 64;
    }

    public RoomKey Room { get; }

    public IReadOnlyList<NewLogEntry> Entries { get; }

    public override int Rows => Entries.Count;

    public override long Bytes { get; }
}

/// <summary>Entries to append to several rooms, all of it or none; null when a room is not where it must be.</summary>
internal sealed class AppendAllWrite : LogWrite<IReadOnlyList<LogAppend>?>
{
    public AppendAllWrite(IReadOnlyList<RoomAppend> appends)
    {
        Appends = appends;
        Bytes = base.Bytes;
        foreach (var append in appends)
        {
            Rows += append.Entries.Count + (append.Derive is null ? 0 : 1);
            for (var i = 0; i < append.Entries.Count; i++)
                Bytes += append.Entries[i].Data.Length + 64;
        }
    }

    public IReadOnlyList<RoomAppend> Appends { get; }

    public override int Rows { get; }

    public override long Bytes { get; }
}

/// <summary>A snapshot that takes the place of entries; false when it does not fit the log.</summary>
internal sealed class CompactWrite(RoomKey room, Position through, ReadOnlyMemory<byte> snapshot) : LogWrite<bool>
{
    public RoomKey Room { get; } = room;

    public Position Through { get; } = through;

    public ReadOnlyMemory<byte> Snapshot { get; } = snapshot;

    public override long Bytes => base.Bytes + Snapshot.Length;
}

/// <summary>Takes away a batch of the oldest entries; gives how many.</summary>
internal sealed class TrimWrite(RoomKey room, LogRetention keep) : LogWrite<int>
{
    public RoomKey Room { get; } = room;

    public LogRetention Keep { get; } = keep;

    public override int Rows => LogRetention.MaxTrim;
}

/// <summary>Deletes a room's log; false when there was none.</summary>
internal sealed class DeleteWrite(RoomKey room) : LogWrite<bool>
{
    public RoomKey Room { get; } = room;
}

/// <summary>Writes something that changes nothing: it succeeds when an append would.</summary>
internal sealed class CheckWrite : LogWrite<bool>;
