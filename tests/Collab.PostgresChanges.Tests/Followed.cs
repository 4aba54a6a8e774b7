using System.Text.Json;
using Collab.Server;
using Collab.Testing;
using Collab.Testing.Servers;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Collab.PostgresChanges;

/// <summary>A database, and servers that follow tables of it. What the tables are is the test's matter.</summary>
internal sealed class Followed : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly PostgresServer _server;
    private readonly string _folder;
    private readonly TemporaryFolder _data = new();
    private readonly List<CollabTestHost> _hosts = [];
    private readonly List<EventSourceReader> _readers = [];

    private Followed(PostgresServer server, string database)
    {
        (_server, Database) = (server, database);
        _folder = _data.Path;
    }

    /// <summary>The database's name, and the slot's.</summary>
    public string Database { get; }

    public string ConnectionString => _server.ConnectionString(Database);

    public static async Task<Followed> CreateAsync(PostgresServer server, string sql)
    {
        var followed = new Followed(server, await server.CreateDatabaseAsync());
        await followed.RunAsync(sql);
        return followed;
    }

    public Task RunAsync(string sql) => _server.RunSqlAsync(Database, sql);

    public async Task<T> AskAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Starts a server that follows tables, with its store on the disk, and waits until it reads.</summary>
    public async Task<CollabTestHost> StartAsync(string tables, params (string Key, string Value)[] settings)
    {
        var host = await LaunchAsync(tables, settings);
        await UntilAsync(() => host.Services.GetRequiredService<ChangesStatus>().IsReading);
        return host;
    }

    /// <summary>Starts such a server without waiting.</summary>
    public Task<CollabTestHost> LaunchAsync(string tables, params (string Key, string Value)[] settings) =>
        LaunchAsync(tables, static _ => { }, settings);

    /// <inheritdoc cref="LaunchAsync(string, ValueTuple{string, string}[])"/>
    public async Task<CollabTestHost> LaunchAsync(string tables, Action<ICollabBuilder> configure, params (string Key, string Value)[] settings)
    {
        (string Key, string Value)[] all =
        [
            ("Collab:DataDirectory", _folder),
            ("Collab:PostgresChanges:ConnectionString", ConnectionString),
            ("Collab:PostgresChanges:Slot", Database),
            ("Collab:PostgresChanges:CheckMilliseconds", "100"),
            ("Collab:Channels:RetryMilliseconds", "100"),
            .. tables.Split(' ').Select((table, i) => ($"Collab:PostgresChanges:Tables:{i}", table)),
            .. settings,
        ];
        // What the test says counts.
        var host = await CollabTestHost.StartAsync(
            all.Reverse().DistinctBy(setting => setting.Key), collab => configure(collab.AddSqliteStore().AddPostgresChanges()));
        _hosts.Add(host);
        return host;
    }

    /// <summary>Follows a table's channel from its beginning.</summary>
    public EventSourceReader Read(CollabTestHost host, string table, string query = "?rewind=1000")
    {
        // It may outlive the server.
        var url = $"{host.Url}/channels/db:{table}/events{query}";
        var reader = new EventSourceReader(() => url, TestAuthentication.Header("ada", CollabTestHost.Everything));
        _readers.Add(reader);
        return reader;
    }

    public static async Task UntilAsync(Func<bool> condition)
    {
        var deadline = DateTime.UtcNow + Patience;
        while (!condition())
        {
            if (DateTime.UtcNow > deadline)
                throw new TimeoutException("It did not happen.");
            await Task.Delay(20);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var reader in _readers)
            await reader.DisposeAsync();
        foreach (var host in _hosts)
            await host.DisposeAsync();
        _data.Dispose();
    }
}

/// <summary>What a reader got, as a test looks at it.</summary>
internal static class ReceivedChanges
{
    /// <summary>Waits for so many changes.</summary>
    /// <returns>Them: what has happened, and its data.</returns>
    public static async Task<(string Event, JsonElement Data)[]> TakeAsync(this EventSourceReader reader, int count)
    {
        await reader.UntilAsync(r => r.Events.Count >= count);
        return [.. reader.Events.Select(one => (one.Event, JsonDocument.Parse(one.Data).RootElement.GetProperty("data")))];
    }
}
