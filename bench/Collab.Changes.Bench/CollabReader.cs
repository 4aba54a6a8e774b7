using System.Diagnostics;
using System.Globalization;
using System.Text;
using Collab.Testing;
using Npgsql;

namespace Collab.Changes.Bench;

/// <summary>Reads the table's channel of a host in a process of its own, as an EventSource does.</summary>
internal sealed class CollabReader(BenchTable table) : IChangesReader
{
    private const string Turn = "(hashtextextended('collab slot collab', 0))";

    private readonly TemporaryFolder _data = new();
    private readonly HttpClient _http = new();
    private HostProcess _host = null!;
    private NpgsqlConnection _turn = null!;

    public string Name => "EventSource reader";

    public async Task PrepareAsync()
    {
        _host = await HostProcess.Launch(_data.Path, settings:
        [
            ("Collab__PostgresChanges__ConnectionString", table.ConnectionString),
            ("Collab__PostgresChanges__Tables__0", "public.messages"),
            ("Logging__LogLevel__Default", "Information"),
        ]).ReadyAsync();
        while (!_host.Lines.Any(line => line.Contains("This node reads", StringComparison.Ordinal)))
            await Task.Delay(20);
        _turn = new NpgsqlConnection(table.ConnectionString);
        await _turn.OpenAsync();
        await TakeTurnAsync();
    }

    public async Task<TimeSpan> ReadBacklogAsync(int rows)
    {
        using var stream = await OpenAsync();
        var started = Stopwatch.GetTimestamp();
        await GiveTurnAsync();
        await ReadAsync(stream, rows, _ => { });
        var time = Stopwatch.GetElapsedTime(started);
        await TakeTurnAsync();
        return time;
    }

    public async Task<List<double>> MeasureDelaysAsync(int before, Func<Task> write, int rows)
    {
        using var stream = await OpenAsync();
        await GiveTurnAsync();
        await ReadAsync(stream, before, _ => { });
        var delays = new List<double>(rows);
        var reading = ReadAsync(stream, rows, data =>
        {
            var start = data.IndexOf("\"commitTime\":\""u8) + 14;
            delays.Add((DateTime.UtcNow - DateTime.Parse(Encoding.UTF8.GetString(data.Slice(start, 27)), null, DateTimeStyles.RoundtripKind)).TotalMilliseconds);
        });
        await write();
        await reading;
        return delays;
    }

    public async ValueTask DisposeAsync()
    {
        await _turn.DisposeAsync();
        await _host.DisposeAsync();
        _http.Dispose();
        _data.Dispose();
    }

    /// <summary>Holds the host back by its own lock: it stops when its connections are ended, and waits until the lock is given back.</summary>
    private async Task TakeTurnAsync()
    {
        await using (var end = new NpgsqlCommand("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()", _turn))
            await end.ExecuteNonQueryAsync();
        await using var take = new NpgsqlCommand($"SELECT pg_advisory_lock{Turn}", _turn);
        await take.ExecuteNonQueryAsync();
        await table.RunAsync("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = 'collab' AND active");
    }

    private async Task GiveTurnAsync()
    {
        await using var give = new NpgsqlCommand($"SELECT pg_advisory_unlock{Turn}", _turn);
        await give.ExecuteNonQueryAsync();
    }

    private async Task<Stream> OpenAsync() => await _http.GetStreamAsync(new Uri($"{_host.Url}/channels/db:public.messages/events"));

    /// <summary>Reads so many events; of each the line with its data is handed on.</summary>
    private static async Task ReadAsync(Stream stream, int rows, DataLine line)
    {
        var (buffer, held) = (new byte[256 * 1024], 0);
        while (rows > 0)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(held));
            if (read == 0)
                throw new EndOfStreamException();
            var (rest, end) = (buffer.AsMemory(0, held + read), 0);
            while (rows > 0 && (end = rest.Span.IndexOf((byte)'\n')) >= 0)
            {
                if (rest.Span[..end].StartsWith("data: "u8))
                {
                    line(rest.Span[..end]);
                    rows--;
                }

                rest = rest[(end + 1)..];
            }

            rest.CopyTo(buffer);
            held = rest.Length;
        }
    }

    private delegate void DataLine(ReadOnlySpan<byte> data);
}
