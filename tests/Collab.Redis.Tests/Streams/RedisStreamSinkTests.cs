using Collab.Redis.Streams;
using Collab.Server;
using Collab.Testing.Events;
using Collab.Testing.Servers;
using Microsoft.Extensions.Configuration;
using StackExchange.Redis;

namespace Collab.Redis.Tests.Streams;

/// <summary>Events in a stream of a real Redis, which writes down what it has.</summary>
public sealed class RedisStreamSinkTests : EventSinkConformance, IAsyncLifetime
{
    private const string Stream = "events";

    private RedisServer _redis = null!;

    protected override string Section => "Collab:Events:RedisStreams:0";

    public async Task InitializeAsync() => _redis = await RedisServer.StartAsync("--appendonly", "yes", "--appendfsync", "always");

    public async Task DisposeAsync() => await _redis.DisposeAsync();

    protected override Task<OpenSink> OpenAsync()
    {
        var sink = SinkTo(maxLength: 0);
        var reader = new RedisConnection(ConfigurationOptions.Parse(_redis.ConnectionString));
        RedisValue last = "0-0";
        return Task.FromResult(new OpenSink(
            sink,
            [("Connection", ConnectionString), ("Stream", Stream)],
            async () =>
            {
                var entries = await (await reader.DatabaseAsync(default)).StreamReadAsync(Stream, last);
                last = entries.Length > 0 ? entries[^1].Id : last;
                return [.. entries.Select(entry => new Received(entry["id"]!, entry["type"]!, entry["subject"]!, entry["data"]!))];
            },
            () =>
            {
                sink.Dispose();
                reader.Dispose();
                return default;
            }));
    }

    protected override void Add(ICollabBuilder collab, IConfiguration configuration) => collab.AddRedisStreams(configuration);

    protected override Task KillAsync() => _redis.KillAsync();

    protected override Task StartAgainAsync() => _redis.StartAgainAsync();

    [Fact]
    public async Task A_stream_keeps_about_as_many_entries_as_it_may()
    {
        using var sink = SinkTo(maxLength: 500);

        await SendAsync(sink, Rooms(count: 1, events: 2_000)[0]);

        // Redis takes away whole nodes of a hundred entries.
        Assert.InRange(int.Parse(await _redis.CallAsync("XLEN", Stream)), 500, 700);
    }

    private string ConnectionString => $"{_redis.ConnectionString},connectTimeout=500";

    private RedisStreamSink SinkTo(int maxLength) => new(
        new RedisStreamSinkOptions { Stream = Stream, MaxLength = maxLength },
        new RedisConnection(ConfigurationOptions.Parse(ConnectionString)));
}
