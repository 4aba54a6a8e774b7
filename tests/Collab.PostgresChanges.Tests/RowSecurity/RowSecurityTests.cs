using System.Net;
using System.Text.Json;
using Collab.Protocol;
using Collab.Server;
using Collab.Testing;
using Collab.Testing.Proxies;
using Collab.Testing.Servers;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.Options;

namespace Collab.PostgresChanges.RowSecurity;

/// <summary>Readers of a table's channel see the rows that the database's own policies let them see, at every door.</summary>
public sealed class RowSecurityTests(PostgresWithRoles postgres) : IClassFixture<PostgresWithRoles>, IAsyncLifetime
{
    private const string Channel = "db:public.messages";

    private const string Tables = """
        CREATE TABLE messages (id int PRIMARY KEY, room_id int, owner text, secret text);
        ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON messages TO member USING (owner = current_setting('request.jwt.claims', true)::json->>'sub');
        CREATE POLICY audited ON messages TO auditor USING (true);
        GRANT SELECT ON messages TO member;
        GRANT SELECT (id, room_id, owner) ON messages TO auditor;
        INSERT INTO messages SELECT i, i % 10, (ARRAY['ada', 'ben'])[1 + i % 2], 's' || i FROM generate_series(0, 99) AS i;

        CREATE TABLE open (id int PRIMARY KEY, owner text);
        GRANT SELECT ON open TO member;
        CREATE TABLE keyless (id int, owner text);
        ALTER TABLE keyless ENABLE ROW LEVEL SECURITY;
        GRANT SELECT ON keyless TO member;
        CREATE TABLE hidden (id int PRIMARY KEY);
        ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;

        CREATE SCHEMA "My Shop";
        GRANT USAGE ON SCHEMA "My Shop" TO member;
        """;

    private readonly PostgresServer _postgres = postgres.Server;
    private string _database = "";
    private int _published;

    public async Task InitializeAsync()
    {
        _database = await _postgres.CreateDatabaseAsync();
        await _postgres.RunSqlAsync(_database, Tables);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task The_same_rows_are_seen_by_each_as_his_role_and_claims_say()
    {
        await using var host = await StartAsync();
        var ada = await ConnectAsync(host, "ada", "member");
        var ben = await ConnectAsync(host, "ben", "member");
        var auditor = await ConnectAsync(host, "eve", "auditor");
        await ada.SubscribeAsync(Channel);
        await ben.SubscribeAsync($"{Channel}?room_id=in.(1,3)");
        await auditor.SubscribeAsync($"{Channel}?room_id=gte.8");
        await using var stream = Follow(host, $"/channels/{Channel}/events", "ada", "member");
        await stream.UntilAsync(self => self.LastId.Length > 0);

        await InsertAsync(host, 0, 40);

        await ada.UntilAsync(self => self.Received.Count == 20);
        await ben.UntilAsync(self => self.Received.Count == 8);
        await auditor.UntilAsync(self => self.Received.Count == 8);
        await stream.UntilAsync(self => self.Events.Count == 20);
        Assert.Equal(Enumerable.Range(0, 20).Select(i => i * 2), IdsOf(ada));
        Assert.Equal([1, 3, 11, 13, 21, 23, 31, 33], IdsOf(ben));
        Assert.Equal([8, 9, 18, 19, 28, 29, 38, 39], IdsOf(auditor));
        Assert.Equal(IdsOf(ada), stream.Events.Select(one => IdOf(JsonElement.Parse(one.Data).GetProperty("data"))));
        // Of columns that a role may not read it gets no values.
        Assert.Contains("secret", ada.Data.First(), StringComparison.Ordinal);
        Assert.All(auditor.Data, data => Assert.DoesNotContain("secret", data, StringComparison.Ordinal));
        Assert.All(ada.Received.Skip(1), received => Assert.Equal(1, received.Message.Skipped));
    }

    [Fact]
    public async Task No_door_shows_what_a_reader_may_not_see()
    {
        await using var host = await StartAsync();
        await InsertAsync(host, 0, 10);
        var ben = await ConnectAsync(host, "ben", "member");
        int[] his = [1, 3, 5, 7, 9];

        Assert.Equal(his, (await ben.SubscribeAsync(Channel, rewind: 100)).Messages.Select(IdOf));
        Assert.Equal(his, (await ben.HistoryAsync(Channel)).Messages.Select(IdOf));
        Assert.Equal(his, (await ben.HistoryAsync($"{Channel}?room_id=gte.0")).Messages.Select(IdOf));
        Assert.Equal(his, (await ben.HistoryAsync(Channel, after: await BeginningAsync(ben))).Messages.Select(IdOf));
        var streamed = new List<int>();
        await foreach (var message in ben.Client.Connection.StreamAsync<ChannelMessage>("StreamChannel", Channel, new SubscribeOptions { Rewind = 100 }))
        {
            streamed.Add(IdOf(message));
            if (streamed.Count == his.Length)
                break;
        }

        Assert.Equal(his, streamed);
        using var polled = await GetAsync(host, $"/channels/{Channel}/messages?wait=0", "ben", "member");
        Assert.Equal(his, (await polled.JsonAsync()).GetProperty("messages").EnumerateArray().Select(message => IdOf(message.GetProperty("data"))));
        // What is seen may change while the channel does not.
        Assert.Null(polled.Headers.ETag);
        await using var one = Follow(host, $"/channels/{Channel}/events?rewind=100", "ben", "member");
        await using var several = Follow(host, $"/events?channel={Channel}&channel=other&rewind=100", "ben", "member");
        await one.UntilAsync(self => self.LastId.EndsWith("-10", StringComparison.Ordinal));
        await several.UntilAsync(self => self.Events.Count >= his.Length);
        Assert.Equal(his, one.Events.Select(message => IdOf(JsonElement.Parse(message.Data).GetProperty("data"))));
        Assert.Equal(his, several.Events.Select(message => IdOf(JsonElement.Parse(message.Data).GetProperty("data"))));
    }

    [Fact]
    public async Task Of_rows_that_changed_or_are_gone_only_what_is_certain_is_told()
    {
        await using var host = await StartAsync();
        var ada = await ConnectAsync(host, "ada", "member");
        await ada.SubscribeAsync(Channel);
        await PublishAsync(host, "update", """{"record":{"id":2,"room_id":2,"owner":"ada","secret":"new"},"oldRecord":{"id":2,"room_id":7,"owner":"ben","secret":"old"}}""");
        // A row that is another's now, and one that is not in the table any more.
        await PublishAsync(host, "update", """{"record":{"id":3,"room_id":3,"owner":"ben","secret":"x"},"oldRecord":{"id":3,"owner":"ada"}}""");
        await PublishAsync(host, "insert", """{"record":{"id":5000,"owner":"ada"}}""");
        await PublishAsync(host, "delete", """{"oldRecord":{"id":3,"room_id":3,"owner":"ben","secret":"x"}}""");
        await PublishAsync(host, "truncate", "{}");
        await ada.UntilAsync(self => self.Received.Count == 3);

        Assert.Equal(["update", "delete", "truncate"], ada.Received.Select(received => received.Message.Event));
        var data = ada.Data.Select(text => JsonElement.Parse(text)).ToArray();
        Assert.Equal("""{"id":2}""", data[0].GetProperty("oldRecord").GetRawText());
        Assert.Equal("new", data[0].GetProperty("record").GetProperty("secret").GetString());
        Assert.Equal("""{"id":3}""", data[1].GetProperty("oldRecord").GetRawText());
        Assert.False(data[2].TryGetProperty("record", out _));
    }

    [Fact]
    public async Task A_filter_tells_nothing_of_what_its_reader_does_not_see()
    {
        await using var host = await StartAsync();
        var auditor = await ConnectAsync(host, "eve", "auditor");
        await auditor.SubscribeAsync($"{Channel}?secret=eq.s4");
        await auditor.SubscribeAsync($"{Channel}?id=eq.4");
        await InsertAsync(host, 0, 10);
        await PublishAsync(host, "delete", """{"oldRecord":{"id":8,"secret":"s4"}}""");
        await PublishAsync(host, "delete", """{"oldRecord":{"id":4,"secret":"other"}}""");
        await auditor.UntilAsync(self => self.Received.Count == 4);
        // Deletes tell the key alone, so a filter on anything else lets all of them by.
        Assert.Equal(["delete", "delete"], auditor.Received.Where(one => one.Channel.EndsWith("s4", StringComparison.Ordinal)).Select(one => one.Message.Event));
        Assert.Equal(["insert", "delete"], auditor.Received.Where(one => one.Channel.EndsWith("id=eq.4", StringComparison.Ordinal)).Select(one => one.Message.Event));
    }

    [Theory]
    [InlineData("db:public.open", "member", "no row-level security")]
    [InlineData("db:public.keyless", "member", "no primary key")]
    [InlineData("db:public.hidden", "member", "GRANT SELECT")]
    [InlineData("db:public.nowhere", "member", "not there")]
    [InlineData(Channel, "postgres", "names no role")]
    [InlineData(Channel, null, "names no role")]
    public async Task Who_cannot_be_told_what_he_sees_sees_nothing(string channel, string? role, string reason)
    {
        await using var host = await StartAsync();
        var client = await ConnectAsync(host, "ada", role);
        await RefusedAsync(() => client.SubscribeAsync(channel), reason);
        await RefusedAsync(() => client.HistoryAsync(channel), reason);
        using var poll = await GetAsync(host, $"/channels/{channel}/messages?wait=0", "ada", role);
        using var stream = await GetAsync(host, $"/channels/{channel}/events", "ada", role);
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), (poll.StatusCode, stream.StatusCode));

        static async Task RefusedAsync(Func<Task> call, string reason)
        {
            var refusal = await Assert.ThrowsAsync<HubException>(call);
            Assert.Contains("forbidden: ", refusal.Message, StringComparison.Ordinal);
            Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Who_names_no_role_has_the_default_role_if_there_is_one()
    {
        await using var host = await StartAsync(("Collab:PostgresChanges:RowSecurity:DefaultRole", "auditor"));
        await InsertAsync(host, 0, 3);
        var guest = await ConnectAsync(host, "guest", null);
        Assert.Equal([0, 1, 2], (await guest.HistoryAsync(Channel)).Messages.Select(IdOf));
        // Not who names another one.
        var other = await ConnectAsync(host, "eve", "superuser");
        await Assert.ThrowsAsync<HubException>(() => other.HistoryAsync(Channel));
    }

    [Fact]
    public async Task Other_channels_and_servers_without_roles_are_as_ever()
    {
        await using var host = await StartAsync();
        var client = await ConnectAsync(host, "ada", null);
        await client.PublishAsync("news", "n", 1);
        Assert.Single((await client.HistoryAsync("news")).Messages);

        await using var open = await CollabTestHost.StartAsync(configure: collab => collab.AddPostgresChanges());
        var reader = new ChannelClient(await open.ConnectAsync());
        await reader.PublishAsync(Channel, "insert", new { record = new { id = 1 } });
        Assert.Single((await reader.HistoryAsync(Channel)).Messages);
    }

    [Fact]
    public async Task While_the_database_is_away_readers_wait_and_lose_nothing()
    {
        await using var way = new TcpRelay(_postgres.Port);
        await using var host = await StartAsync(
            ("Collab:PostgresChanges:RowSecurity:TimeoutMilliseconds", "1000"), ("Collab:PostgresChanges:RowSecurity:ConnectionString", ConnectionString(way.Port)));
        var ada = await ConnectAsync(host, "ada", "member");
        await ada.SubscribeAsync(Channel);
        await InsertAsync(host, 0, 10);
        await ada.UntilAsync(self => self.Received.Count == 5);

        way.Target = TcpRelay.FreePort();
        way.CutAll();
        await InsertAsync(host, 10, 20);
        var refusal = await Assert.ThrowsAsync<HubException>(() => ada.HistoryAsync(Channel));
        Assert.Contains("unavailable: ", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(5, ada.Received.Count);
        way.Target = _postgres.Port;
        await InsertAsync(host, 20, 30);

        await ada.UntilAsync(self => self.Received.Count == 15);
        Assert.Equal(Enumerable.Range(0, 15).Select(i => i * 2), IdsOf(ada));
    }

    [Fact]
    public async Task What_the_policies_say_holds_at_once_for_those_who_are_reading()
    {
        await using var host = await StartAsync();
        var ada = await ConnectAsync(host, "ada", "member");
        await ada.SubscribeAsync(Channel);
        await InsertAsync(host, 0, 2);
        await ada.UntilAsync(self => self.Received.Count == 1);
        await _postgres.RunSqlAsync(_database, "DROP POLICY own ON messages; CREATE POLICY other ON messages TO member USING (id = 5)");
        await InsertAsync(host, 2, 8);
        await ada.UntilAsync(self => self.Received.Count == 2);
        // Neither do policies that are not in force let anything by.
        await _postgres.RunSqlAsync(_database, "ALTER TABLE messages DISABLE ROW LEVEL SECURITY");
        await InsertAsync(host, 8, 10);
        await _postgres.RunSqlAsync(_database, "ALTER TABLE messages ENABLE ROW LEVEL SECURITY");
        await InsertAsync(host, 4, 6);
        await ada.UntilAsync(self => self.Received.Count >= 3);
        Assert.Equal([0, 5, 5], IdsOf(ada));
    }

    [Fact]
    public async Task Keys_of_several_columns_and_any_type_and_odd_names_are_found()
    {
        await _postgres.RunSqlAsync(_database, """
            CREATE TABLE odd ("Id""x" uuid, at timestamptz, raw bytea, n numeric, t varchar(3), b boolean, PRIMARY KEY ("Id""x", at, raw, n, t, b));
            ALTER TABLE odd ENABLE ROW LEVEL SECURITY;
            CREATE POLICY all_of_them ON odd TO member USING (true);
            GRANT SELECT ON odd TO member;
            INSERT INTO odd VALUES ('11111111-1111-1111-1111-111111111111', '2026-01-02T03:04:05.678+02', '\x00ff', 1.50, 'a''b', true);
            """);
        await using var host = await StartAsync();
        var ada = await ConnectAsync(host, "ada", "member");
        const string Row = """{"record":{"Id\"x":"11111111-1111-1111-1111-111111111111","at":"2026-01-02T01:04:05.678Z","raw":"AP8=","n":1.5,"t":"a'b","b":true}}""";
        await PublishAsync(host, "insert", Row, "db:public.odd");
        // Values that no row can have, of which one alone would fail.
        foreach (var wrong in (string[])[Row.Replace("1111-1111-", "no-uuid", StringComparison.Ordinal), Row.Replace("2026", "never", StringComparison.Ordinal), Row.Replace("1.5", "[]", StringComparison.Ordinal), "{}", """{"record":7}"""])
            await PublishAsync(host, "insert", wrong, "db:public.odd");
        await PublishAsync(host, "insert", Row, "db:public.odd");
        var history = await ada.HistoryAsync("db:public.odd");
        Assert.Equal([1L, 5L, 6L, 7L], history.Messages.Select(message => Position.TryParse(message.Position, out var position) ? position.Offset : 0));
    }

    [Fact]
    public async Task A_reader_whose_claims_are_others_after_he_has_signed_in_anew_sees_by_these()
    {
        await using var host = await StartAsync();
        var ada = new ChannelClient(await host.ConnectAsync(session: "tab", authorization: Header("ada", "member")));
        await ada.SubscribeAsync(Channel);
        await InsertAsync(host, 0, 3);
        await ada.UntilAsync(self => self.Received.Count == 2);

        using var http = new HttpClient();
        using var renewal = new HttpRequestMessage(HttpMethod.Post, new Uri($"{host.Url}{HubContract.Path}/refresh?session=tab"));
        renewal.Headers.Add("Authorization", Header("ada", "auditor"));
        (await http.SendAsync(renewal)).EnsureSuccessStatusCode();

        await InsertAsync(host, 3, 8);
        await ada.UntilAsync(self => self.Received.Count == 7);
        Assert.Equal([0, 2, 3, 4, 5, 6, 7], IdsOf(ada));
        Assert.All(ada.Data.Skip(2), data => Assert.DoesNotContain("secret", data, StringComparison.Ordinal));

        using var loss = new HttpRequestMessage(HttpMethod.Post, new Uri($"{host.Url}{HubContract.Path}/refresh?session=tab"));
        loss.Headers.Add("Authorization", Header("ada", "nobody"));
        (await http.SendAsync(loss)).EnsureSuccessStatusCode();
        await ada.UntilAsync(self => !self.Closed.IsEmpty);
        Assert.Equal((Channel, ChannelCloseReasons.Forbidden), ada.Closed.Single());
    }

    [Theory]
    [InlineData("Roles:2", "", "Roles must be names")]
    [InlineData("DefaultRole", "postgres", "DefaultRole must be one of Roles")]
    [InlineData("RoleClaim", "", "RoleClaim must name a claim")]
    [InlineData("ClaimsSetting", "search_path", "ClaimsSetting must be a name with a dot")]
    [InlineData("ConnectionString", "Host=", "ConnectionString to a connection string")]
    [InlineData("TimeoutMilliseconds", "1", "TimeoutMilliseconds must be")]
    [InlineData("MaxConnections", "0", "MaxConnections must be")]
    public async Task Settings_that_cannot_be_stop_the_start_with_a_sentence(string key, string value, string reason)
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(($"Collab:PostgresChanges:RowSecurity:{key}", value)));
        Assert.Contains(reason, fault.Message, StringComparison.Ordinal);
    }

    private Task<CollabTestHost> StartAsync(params (string, string)[] settings) => CollabTestHost.StartAsync(
        [
            ("ConnectionStrings:Postgres", ConnectionString()),
            ("Collab:PostgresChanges:RowSecurity:Roles:0", "member"),
            ("Collab:PostgresChanges:RowSecurity:Roles:1", "auditor"),
            .. settings,
        ],
        collab => collab.AddPostgresChanges());

    private string ConnectionString(int? port = null) =>
        _postgres.ConnectionString(_database, port).Replace("Username=postgres", "Username=collab", StringComparison.Ordinal);

    private static string Header(string user, string? role) => TestAuthentication.Header(user, CollabTestHost.Everything, role: role);

    private static async Task<ChannelClient> ConnectAsync(CollabTestHost host, string user, string? role) =>
        new(await host.ConnectAsync(authorization: Header(user, role)));

    private static EventSourceReader Follow(CollabTestHost host, string path, string user, string? role) => new(() => host.Url + path, Header(user, role));

    private static async Task<HttpResponseMessage> GetAsync(CollabTestHost host, string path, string user, string? role)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(host.Url + path));
        request.Headers.Add("Authorization", Header(user, role));
        return await http.SendAsync(request);
    }

    private async Task InsertAsync(CollabTestHost host, int from, int to)
    {
        for (var i = from; i < to; i++)
        {
            await PublishAsync(host, "insert", JsonSerializer.Serialize(new
            {
                schema = "public",
                table = "messages",
                commitTime = "2026-01-02T03:04:05Z",
                record = new { id = i, room_id = i % 10, owner = i % 2 == 0 ? "ada" : "ben", secret = $"s{i}" },
            }));
        }
    }

    private async Task PublishAsync(CollabTestHost host, string eventName, string data, string channel = Channel) =>
        (await host.PostAsync($"/channels/{channel}/messages", $$"""{"event":"{{eventName}}","data":{{data}} }""", $"k{_published++}")).EnsureSuccessStatusCode();

    private static async Task<string> BeginningAsync(ChannelClient client) => $"{(await client.HistoryAsync(Channel)).Position.Split('-')[0]}-0";

    private static IEnumerable<int> IdsOf(ChannelClient client) => client.Received.Select(received => IdOf(received.Message));

    private static int IdOf(ChannelMessage message) => IdOf(JsonElement.Parse(ChannelClient.JsonOf(message.Data)));

    private static int IdOf(JsonElement data) => data.GetProperty("record").GetProperty("id").GetInt32();
}
