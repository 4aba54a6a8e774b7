using Collab.Server.Rooms;

namespace Collab.PostgresChanges.Messages;

/// <summary>A table whose changes become messages.</summary>
/// <param name="Index">Its place among the followed tables.</param>
/// <param name="Schema">The schema it is in.</param>
/// <param name="Name">Its name.</param>
/// <param name="MaxMessageBytes">The largest data of a message in its channel, in bytes of JSON.</param>
internal sealed record FollowedTable(int Index, string Schema, string Name, int MaxMessageBytes)
{
    /// <summary>What the names of all channels begin with that tables are followed in.</summary>
    public const string Prefix = "db:";

    /// <summary>The name by which settings and progress know it.</summary>
    public string FullName { get; } = $"{Schema}.{Name}";

    /// <summary>The channel in which its changes are messages.</summary>
    public string Channel { get; } = ChannelOf($"{Schema}.{Name}");

    public RoomKey Room { get; } = new(RoomKind.Channel, ChannelOf($"{Schema}.{Name}"));

    public static string ChannelOf(string table) => Prefix + table;
}
