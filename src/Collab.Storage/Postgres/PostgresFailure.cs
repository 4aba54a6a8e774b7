using System.Net.Sockets;
using Collab.Server.Rooms;
using Npgsql;

namespace Collab.Storage.Postgres;

/// <summary>What to make of Npgsql's exceptions.</summary>
internal static class PostgresFailure
{
    /// <summary>Whether the same may succeed over a new connection: it was lost, the server stops or starts, or others were in the way.</summary>
    public static bool IsPassing(Exception exception) => exception switch
    {
        PostgresException { SqlState: var state } =>
            state.StartsWith("08", StringComparison.Ordinal) // connection
            || state.StartsWith("40", StringComparison.Ordinal) // deadlock, serialization
            || state.StartsWith("53", StringComparison.Ordinal) // too many connections, no room
            || state.StartsWith("57P", StringComparison.Ordinal) // the server stops or starts
            || state is "55P03" or "25P03" or "57014", // waited too long for a lock, was idle too long, canceled
        NpgsqlException or SocketException or IOException or TimeoutException => true,
        _ => false,
    };

    /// <summary>Whether it is about what was written, not about the store.</summary>
    public static bool MayBeOfOneWrite(Exception exception) =>
        exception is PostgresException { SqlState: var state }
        && (state.StartsWith("22", StringComparison.Ordinal) || state.StartsWith("54", StringComparison.Ordinal));

    public static RoomLogUnavailableException ToUnavailable(Exception exception) =>
        exception as RoomLogUnavailableException ?? new RoomLogUnavailableException("The store cannot be used now.", exception);
}
