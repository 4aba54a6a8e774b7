namespace Collab.Server.Rooms;

/// <summary>What a room is for. The values are stored; never renumber them.</summary>
public enum RoomKind
{
    /// <summary>A shared document: its entries are Yjs updates (format v1).</summary>
    Document = 1,

    /// <summary>A channel: its entries are messages.</summary>
    Channel = 2,

    /// <summary>What the server keeps for itself, such as revocations.</summary>
    System = 3,

    /// <summary>Which user writes under which client ids in the document of the same name.</summary>
    Writers = 4,

    /// <summary>The versions of the document of the same name.</summary>
    Versions = 5,

    /// <summary>Notes of events that sinks are to be told of, and how far each sink is.</summary>
    Events = 6,

    /// <summary>Events that the sink of the same name has not taken.</summary>
    DeadLetters = 7,
}

/// <summary>Names a room: a document and a channel of one name are two rooms.</summary>
/// <param name="Kind">What the room is for.</param>
/// <param name="Name">The document id or channel name, valid by <see cref="Collab.Protocol.RoomName"/>.</param>
public readonly record struct RoomKey(RoomKind Kind, string Name);
