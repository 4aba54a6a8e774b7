using System.Collections.Concurrent;
using Collab.Server.Rooms;
using Microsoft.Data.Sqlite;

namespace Collab.Storage.Sqlite;

/// <summary>
/// A few connections for reading, opened when needed and kept. Each read is one transaction and so sees one moment; it neither waits for
/// the writer nor holds it up (sqlite.org/wal.html). It runs on the caller's thread: pages mostly come from memory.
/// </summary>
internal sealed class SqliteReaders(SqliteDatabase database, StoreHealth health) : IDisposable
{
    private readonly SemaphoreSlim _free = new(Math.Clamp(Environment.ProcessorCount, 2, 8));
    private readonly ConcurrentBag<SqliteSession> _sessions = [];
    private volatile bool _closed;

    /// <summary>Reads in one transaction.</summary>
    /// <exception cref="RoomLogUnavailableException">It cannot be read now.</exception>
    public async ValueTask<TResult> ReadAsync<TResult>(Func<SqliteSession, TResult> read, CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var result = Read(read);
            health.Succeeded();
            return result;
        }
        catch (RoomLogUnavailableException e)
        {
            health.Failed(e);
            throw;
        }
        finally
        {
            _free.Release();
        }
    }

    public void Dispose()
    {
        _closed = true;
        CloseKept();
    }

    private TResult Read<TResult>(Func<SqliteSession, TResult> read)
    {
        if (_closed)
            throw new RoomLogUnavailableException("The store is closed.");
        SqliteSession? session = null;
        try
        {
            session = Take();
            session.Prepare("BEGIN").Run();
            var result = read(session);
            session.Prepare("COMMIT").Run();
            _sessions.Add(session);
            session = null;
            if (_closed)
                CloseKept();
            return result;
        }
        catch (SqliteException e)
        {
            throw SqliteFailure.ToUnavailable(e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RoomLogUnavailableException("The store cannot be opened.", e);
        }
        finally
        {
            // Kept only when all went well: a statement left half-way would hold back the writer's checkpoints.
            session?.Dispose();
        }
    }

    private SqliteSession Take()
    {
        while (_sessions.TryTake(out var kept))
        {
            if (!kept.HasMoved())
                return kept;
            kept.Dispose();
        }

        return database.OpenForReading();
    }

    private void CloseKept()
    {
        while (_sessions.TryTake(out var session))
            session.Dispose();
    }
}
