using Collab.Server.Rooms;
using Collab.Storage.GroupCommit;
using Npgsql;

namespace Collab.Storage.Postgres;

/// <summary>
/// Commits batches of writes to Postgres. When the connection is lost it is tried again over another one, for a while. Each batch has a
/// number that is written with it: so a batch whose commit was not answered is neither lost nor done twice.
/// </summary>
internal sealed class PostgresBatchStore(PostgresDatabase database, TimeSpan patience, StoreHealth health) : IBatchStore
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly Guid _writer = Guid.NewGuid();
    private (NpgsqlConnection Connection, byte[] Id)? _open;
    private long _number;

    public void Open()
    {
        try
        {
            Connect();
            health.Opened(database.Where);
        }
        catch (Exception e)
        {
            health.Failed(e);
        }
    }

    public void Commit(IReadOnlyList<LogWrite> writes)
    {
        _number++;
        try
        {
            CommitPatiently(writes);
            health.Succeeded();
        }
        catch (Exception e)
        {
            if (PostgresFailure.MayBeOfOneWrite(e))
            {
                if (writes.Count == 1)
                    health.Failed(e);
                throw new UnfitWriteException("The store cannot keep this.", e);
            }

            health.Failed(e);
            throw PostgresFailure.ToUnavailable(e);
        }
    }

    public void TidyUp(bool idle)
    {
        // Postgres does that itself.
    }

    public void Dispose() => Close();

    private void CommitPatiently(IReadOnlyList<LogWrite> writes)
    {
        var deadline = DateTime.UtcNow + patience;
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                CommitOnce(writes);
                return;
            }
            catch (Exception e)
            {
                Close();
                if (!PostgresFailure.IsPassing(e) || DateTime.UtcNow + pause > deadline)
                    throw;
                database.Forget();
                Thread.Sleep(pause);
            }
        }
    }

    private void CommitOnce(IReadOnlyList<LogWrite> writes)
    {
        var (connection, id) = Connect();
        var transaction = new PostgresTransaction(connection, id, _writer, _number);
        if (!transaction.Begin(writes))
            return; // The last try was committed; only its answer was lost. The outcomes are those that it computed.
        foreach (var write in writes)
            transaction.Do(write);
        transaction.Commit();
    }

    private (NpgsqlConnection Connection, byte[] Id) Connect() => _open ??= database.OpenAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();

    private void Close()
    {
        try
        {
            _open?.Connection.Dispose();
        }
        catch (Exception e) when (PostgresFailure.IsPassing(e))
        {
            // It was lost.
        }

        _open = null;
    }
}
