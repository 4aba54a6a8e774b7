using System.Reflection;
using Collab.Server;
using Collab.Server.Rooms;
using Collab.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.PostgresChanges;

public sealed class InterruptedRestartTests(LogicalPostgres postgres) : IClassFixture<LogicalPostgres>
{
    [Fact]
    public async Task Wherever_it_breaks_off_while_everything_begins_anew_readers_are_told_and_get_what_follows()
    {
        await using var followed = await Followed.CreateAsync(postgres.Server, "CREATE TABLE orders (id int PRIMARY KEY)");
        var (failing, log) = FailingLog.Create();
        // The last of these is after it was done.
        for (var step = 1; step <= 6; step++)
        {
            await using var host = await CollabTestHost.StartAsync(
                [
                    ("Collab:PostgresChanges:ConnectionString", followed.ConnectionString),
                    ("Collab:PostgresChanges:Slot", followed.Database),
                    ("Collab:PostgresChanges:Tables:0", "public.orders"),
                    ("Collab:Channels:RetryMilliseconds", "100"),
                ],
                collab => collab.AddPostgresChanges().Services.AddSingleton(log));
            var status = host.Services.GetRequiredService<ChangesStatus>();
            await Followed.UntilAsync(() => status.IsReading);
            await using var reader = host.Follow("/channels/db:public.orders/events");
            await reader.UntilAsync(r => r.Opened == 1);
            await followed.RunAsync($"INSERT INTO orders VALUES ({step})");
            await reader.TakeAsync(1);

            failing.FailAt(step);
            await followed.RunAsync(
                $"""
                DROP PUBLICATION collab;
                SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{followed.Database}'
                """);
            await reader.UntilAsync(r => r.Events.Any(one => one.Event == "collab:gap"));
            await Followed.UntilAsync(() => status.IsReading && status.Fault is null);
            await followed.RunAsync($"INSERT INTO orders VALUES (-{step})");

            await reader.UntilAsync(r => r.Events.Any(one => one.Data.Contains($"\"id\":-{step}}}", StringComparison.Ordinal)));
            Assert.Equal(2, reader.Events.Count(one => one.Event == "insert"));
        }

        Assert.Equal(5, failing.Failures);
    }

    /// <summary>A log in memory that cannot be written to at one moment, as when the process ends then.</summary>
    public class FailingLog : DispatchProxy
    {
        private static readonly string[] Writes = [nameof(IRoomLog.AppendAsync), nameof(IRoomLog.DeleteAsync)];

        private readonly IRoomLog _log = new InMemoryRoomLog(TimeProvider.System);
        private int _left;

        public int Failures { get; private set; }

        public static (FailingLog Failing, IRoomLog Log) Create()
        {
            var log = Create<IRoomLog, FailingLog>();
            return ((FailingLog)(object)log, log);
        }

        /// <summary>From now on the so-manieth write fails.</summary>
        public void FailAt(int write) => Volatile.Write(ref _left, write);

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            if (Writes.Contains(targetMethod!.Name) && Interlocked.Decrement(ref _left) == 0)
            {
                Failures++;
                throw new RoomLogUnavailableException("The store fails now.");
            }

            return targetMethod.Invoke(_log, args);
        }
    }
}
