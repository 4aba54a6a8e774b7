using Collab.PostgresChanges.Messages;
using Collab.Server.Rooms;

namespace Collab.PostgresChanges.Replication;

/// <summary>Changes that are stored together.</summary>
/// <param name="tables">How many tables are followed.</param>
internal sealed class ChangeBatch(int tables)
{
    private readonly List<NewLogEntry>?[] _entries = new List<NewLogEntry>?[tables];

    /// <summary>How many messages it has.</summary>
    public int Count { get; private set; }

    /// <summary>The bytes of its messages.</summary>
    public long Bytes { get; private set; }

    public void Add(FollowedTable table, NewLogEntry entry)
    {
        (_entries[table.Index] ??= []).Add(entry);
        Count++;
        Bytes += entry.Data.Length;
    }

    /// <summary>The messages of each channel that has some.</summary>
    public IEnumerable<(FollowedTable Table, IReadOnlyList<NewLogEntry> Entries)> Of(IReadOnlyList<FollowedTable> followed)
    {
        foreach (var table in followed)
        {
            if (_entries[table.Index] is { } entries)
                yield return (table, entries);
        }
    }
}
