namespace Collab.Storage.GroupCommit;

/// <summary>What <see cref="GroupCommitWriter"/> writes to. All calls come from its one thread.</summary>
internal interface IBatchStore : IDisposable
{
    /// <summary>Opens the store ahead of the first commit. Never throws: the next commit tries again and tells.</summary>
    void Open();

    /// <summary>
    /// Does all writes in one durable transaction and sets their outcomes. When it throws, none of them was done, or, if the commit
    /// itself broke, none may be called done.
    /// </summary>
    /// <exception cref="UnfitWriteException">One of them cannot be done for a reason of its own.</exception>
    /// <exception cref="Collab.Server.Rooms.RoomLogUnavailableException">The store cannot write now.</exception>
    void Commit(IReadOnlyList<LogWrite> writes);

    /// <summary>Puts things in order after a commit whose callers are told. Never throws.</summary>
    /// <param name="idle">Whether nothing waits to be written.</param>
    void TidyUp(bool idle);
}

/// <summary>A transaction failed for what one of its writes is, not for the state of the store.</summary>
internal sealed class UnfitWriteException(string message, Exception innerException) : Exception(message, innerException);
