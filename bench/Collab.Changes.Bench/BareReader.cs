using System.Diagnostics;
using Npgsql.Replication;
using Npgsql.Replication.PgOutput;
using Npgsql.Replication.PgOutput.Messages;

namespace Collab.Changes.Bench;

/// <summary>Reads the replication stream with Npgsql's own reader and does nothing with it.</summary>
internal sealed class BareReader(BenchTable table, bool readsValues) : IChangesReader
{
    private readonly string _slot = readsValues ? "values" : "bare";

    public string Name => readsValues ? "bare reader, looks at values" : "bare reader";

    public Task PrepareAsync() => table.RunAsync($"SELECT pg_create_logical_replication_slot('{_slot}', 'pgoutput')");

    public async Task<TimeSpan> ReadBacklogAsync(int rows)
    {
        var (started, last) = (Stopwatch.GetTimestamp(), 0L);
        await ReadAsync(rows, _ => last = Stopwatch.GetTimestamp());
        return Stopwatch.GetElapsedTime(started, last);
    }

    public async Task<List<double>> MeasureDelaysAsync(int before, Func<Task> write, int rows)
    {
        if (before > 0)
            await ReadAsync(before, _ => { });
        var delays = new List<double>(rows);
        var reading = ReadAsync(rows, committed => delays.Add((DateTime.UtcNow - committed).TotalMilliseconds));
        await write();
        await reading;
        return delays;
    }

    public ValueTask DisposeAsync() => default;

    private async Task ReadAsync(int rows, Action<DateTime> row)
    {
        await using var connection = new LogicalReplicationConnection(table.ConnectionString);
        await connection.Open();
        using var enough = new CancellationTokenSource();
        var committed = DateTime.MinValue;
        await foreach (var message in connection.StartReplication(
            new PgOutputReplicationSlot(_slot), new PgOutputReplicationOptions("collab", PgOutputProtocolVersion.V1), enough.Token))
        {
            switch (message)
            {
                case BeginMessage begin:
                    committed = begin.TransactionCommitTimestamp;
                    break;
                case InsertMessage insert:
                    if (readsValues)
                    {
                        await foreach (var value in insert.NewRow)
                            await value.Get<string>();
                    }

                    row(committed);
                    rows--;
                    break;
                case CommitMessage commit:
                    connection.SetReplicationStatus(commit.TransactionEndLsn);
                    if (rows == 0)
                    {
                        await connection.SendStatusUpdate();
                        // What the server has not heard it would deliver again.
                        await table.UntilAsync($"SELECT confirmed_flush_lsn >= '{commit.TransactionEndLsn}' FROM pg_replication_slots WHERE slot_name = '{_slot}'");
                        return;
                    }

                    break;
            }
        }
    }
}
