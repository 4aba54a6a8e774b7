using System.Collections.Concurrent;
using System.Text;
using Collab.Protocol;
using Collab.Server.Rooms;
using Collab.Testing.Proxies;
using Npgsql;

namespace Collab.Storage.Postgres;

/// <summary>Several nodes on one database, whatever happens to it and to the way there.</summary>
public sealed class PostgresNodesTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>, IAsyncLifetime
{
    private static readonly RoomKey Room = new(RoomKind.Channel, "c");

    private readonly List<PostgresRoomLog> _nodes = [];
    private string _database = "";

    public async Task InitializeAsync() => _database = await postgres.Server.CreateDatabaseAsync();

    public async Task DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
    }

    [Fact]
    public async Task Nodes_that_start_at_once_on_an_empty_database_make_one_store()
    {
        var nodes = Enumerable.Range(0, 6).Select(_ => Open()).ToArray();

        var heads = await Task.WhenAll(nodes.Select(node => node.ReadHeadsAsync([Room], default).AsTask()));

        Assert.Single(heads.Select(head => head[0]).Distinct());
    }

    [Fact]
    public async Task Positions_stay_dense_when_all_nodes_write_to_the_same_rooms()
    {
        var nodes = Enumerable.Range(0, 3).Select(_ => Open()).ToArray();
        var acknowledged = new ConcurrentBag<(RoomKey Room, long Offset, string Text)>();

        await Task.WhenAll(Enumerable.Range(0, 24).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 50; i++)
            {
                var room = new RoomKey(RoomKind.Channel, $"c{(writer + i) % 4}");
                var text = $"{writer}-{i}";
                acknowledged.Add((room, await AppendAsync(nodes[writer % 3], room, text), text));
            }
        })));

        foreach (var room in acknowledged.GroupBy(entry => entry.Room))
        {
            Assert.Equal(Enumerable.Range(1, 300).Select(offset => (long)offset), room.Select(entry => entry.Offset).Order());
            var read = await ReadAsync(nodes[0], room.Key);
            Assert.Equal(room.OrderBy(entry => entry.Offset).Select(entry => entry.Text), read);
        }
    }

    [Fact]
    public async Task Many_who_read_at_once_on_all_nodes_find_room_in_the_servers_connections()
    {
        var nodes = Enumerable.Range(0, 3).Select(_ => Open()).ToArray();
        await AppendAsync(nodes[0], Room, "text");

        var read = await Task.WhenAll(Enumerable.Range(0, 900).Select(i => Task.Run(() => ReadAsync(nodes[i % 3], Room))));

        Assert.All(read, texts => Assert.Equal(["text"], texts));
    }

    [Theory]
    [InlineData("", 20)]
    [InlineData(";Maximum Pool Size=3", 3)]
    [InlineData(";Maximum Pool Size=30", 30)]
    public async Task A_node_opens_no_more_connections_than_the_connection_string_says(string setting, int most)
    {
        var node = Open(postgres.Server.ConnectionString(_database) + setting);
        await AppendAsync(node, Room, "text");

        await Task.WhenAll(Enumerable.Range(0, 600).Select(_ => Task.Run(() => ReadAsync(node, Room))));

        await using var connection = new NpgsqlConnection(postgres.Server.ConnectionString(_database));
        await connection.OpenAsync();
        await using var count = new NpgsqlCommand("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()", connection);
        Assert.InRange((long)(await count.ExecuteScalarAsync())!, most - 1, most);
    }

    [Fact]
    public Task What_is_acknowledged_is_there_once_after_the_server_has_crashed_under_load() => UnderLoadAsync(
        node => postgres.Server.ConnectionString(_database),
        async () =>
        {
            await postgres.Server.CrashAsync();
            await Task.Delay(300);
            await postgres.Server.StartAgainAsync();
        },
        times: 3);

    [Fact]
    public Task What_is_acknowledged_is_there_once_after_sessions_were_ended_under_load() => UnderLoadAsync(
        node => postgres.Server.ConnectionString(_database),
        () => postgres.Server.RunSqlAsync(
            _database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"),
        times: 20);

    [Fact]
    public async Task What_is_acknowledged_is_there_once_after_connections_were_cut_under_load()
    {
        await using var relay = new TcpRelay(postgres.Server.Port);
        await UnderLoadAsync(
            node => postgres.Server.ConnectionString(_database, relay.Port),
            () =>
            {
                relay.CutOne(Random.Shared);
                return Task.CompletedTask;
            },
            times: 40);
    }

    [Fact]
    public async Task Two_nodes_may_compact_at_the_same_time()
    {
        var (a, b) = (Open(), Open());
        var room = new RoomKey(RoomKind.Document, "d");
        Position last = default;
        for (var i = 0; i < 20; i++)
            last = (await a.AppendAsync(room, [Entry($"{i}")], default)).Last;

        var compacted = await Task.WhenAll(
            a.CompactAsync(room, last with { Offset = 20 }, Encoding.UTF8.GetBytes("through 20"), default).AsTask(),
            b.CompactAsync(room, last with { Offset = 10 }, Encoding.UTF8.GetBytes("through 10"), default).AsTask());

        Assert.True(compacted[0]);
        var page = await b.ReadAsync(room, 0, 100, 1000, default);
        Assert.Equal((20, "through 20", 0), (page.Head, Encoding.UTF8.GetString(page.Snapshot!.Data.Span), page.Entries.Count));
    }

    [Fact]
    public async Task A_store_of_a_newer_version_is_refused()
    {
        await Open().CheckAsync(default);
        await postgres.Server.RunSqlAsync(_database, "UPDATE collab.meta SET schema_version = 99");

        var refused = await Assert.ThrowsAsync<RoomLogUnavailableException>(async () => await Open().ReadAsync(Room, 0, 1, 1, default));

        Assert.Contains("schema version 99", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_starts_while_the_server_is_away_and_works_when_it_comes()
    {
        await postgres.Server.CrashAsync();
        var node = Open(patience: TimeSpan.FromMilliseconds(200));
        try
        {
            await Assert.ThrowsAsync<RoomLogUnavailableException>(async () => await node.CheckAsync(default));
        }
        finally
        {
            await postgres.Server.StartAgainAsync();
        }

        await node.CheckAsync(default);
        Assert.Equal(1, await AppendAsync(node, Room, "a"));
    }

    /// <summary>Two nodes write while something happens again and again; then every acknowledged entry is where it was said to be, once.</summary>
    private async Task UnderLoadAsync(Func<int, string> connectionString, Func<Task> fault, int times)
    {
        var nodes = Enumerable.Range(0, 2).Select(i => Open(connectionString(i))).ToArray();
        await nodes[0].CheckAsync(default);
        var acknowledged = new ConcurrentDictionary<string, long>();
        using var stop = new CancellationTokenSource();
        var failed = 0;
        var writing = Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                try
                {
                    var text = $"{writer}-{i}";
                    acknowledged[text] = await AppendAsync(nodes[writer % 2], Room, text);
                }
                catch (RoomLogUnavailableException)
                {
                    Interlocked.Increment(ref failed);
                }
            }
        })).ToArray();

        for (var i = 0; i < times; i++)
        {
            await Task.Delay(100);
            await fault();
        }

        await Task.Delay(200);
        await stop.CancelAsync();
        await Task.WhenAll(writing);

        var read = await ReadAsync(nodes[0], Room);
        Assert.Equal(read.Count, read.Distinct().Count());
        Assert.All(acknowledged, entry => Assert.Equal(entry.Key, read[(int)entry.Value - 1]));
        Assert.InRange(acknowledged.Count, times, int.MaxValue);
        Assert.Equal(0, failed);
    }

    private PostgresRoomLog Open(string? connectionString = null, TimeSpan? patience = null)
    {
        var node = PostgresFixture.Open(connectionString ?? postgres.Server.ConnectionString(_database), patience);
        _nodes.Add(node);
        return node;
    }

    private static NewLogEntry Entry(string text) => new(Encoding.UTF8.GetBytes(text));

    private static async Task<long> AppendAsync(PostgresRoomLog node, RoomKey room, string text) =>
        (await node.AppendAsync(room, [Entry(text)], default)).Offsets[0];

    private static async Task<List<string>> ReadAsync(PostgresRoomLog node, RoomKey room)
    {
        var texts = new List<string>();
        while (await node.ReadAsync(room, texts.Count, 1000, 1 << 20, default) is { Entries.Count: > 0 } page)
            texts.AddRange(page.Entries.Select(entry => Encoding.UTF8.GetString(entry.Data.Span)));
        return texts;
    }
}
