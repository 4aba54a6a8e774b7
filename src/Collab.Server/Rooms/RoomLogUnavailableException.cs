namespace Collab.Server.Rooms;

/// <summary>
/// The store cannot be read or written now: the disk is full, the file is locked, read-only or damaged, the database is gone.
/// Nothing was stored by the call that got it. Callers of the hub get the code <c>unavailable</c>.
/// </summary>
public sealed class RoomLogUnavailableException : Exception
{
    /// <summary>Says what cannot be done, in a sentence without content or paths.</summary>
    public RoomLogUnavailableException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
