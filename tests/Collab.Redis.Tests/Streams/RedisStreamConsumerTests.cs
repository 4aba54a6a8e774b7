using Collab.Redis.Streams;
using Collab.Server;
using Collab.Testing.Consumers;
using Collab.Testing.Servers;
using Microsoft.Extensions.Configuration;
using StackExchange.Redis;

namespace Collab.Redis.Tests.Streams;

/// <summary>Entries of a stream in a real Redis, which writes down what it has, as messages of channels.</summary>
public sealed class RedisStreamConsumerTests : ConsumerConformance, IAsyncLifetime
{
    private const string Stream = "orders";
    private const string Group = "collab";

    private RedisServer _redis = null!;
    private RedisConnection _connection = null!;

    protected override string Section => "Collab:Consumers:RedisStreams:0";

    protected override int Port => _redis.Port;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync("--appendonly", "yes", "--appendfsync", "always");
        _connection = new RedisConnection(ConfigurationOptions.Parse(_redis.ConnectionString));
    }

    public async Task DisposeAsync()
    {
        _connection.Dispose();
        await _redis.DisposeAsync();
    }

    protected override IEnumerable<(string Key, string Value)> Source(int port) =>
    [
        ("Connection", $"127.0.0.1:{port},connectTimeout=500"),
        ("Stream", Stream),
        ("IdField", "id"),
        ("LeaseSeconds", "1"),
        ("PollMilliseconds", "10"),
    ];

    protected override void Add(ICollabBuilder collab, IConfiguration configuration) => collab.AddRedisStreams(configuration);

    protected override async Task SendAsync(IReadOnlyList<BusMessage> messages)
    {
        // After it was killed, it is back soon.
        await RedisNodes.UntilAsync(() => Database.IsConnected(Stream));
        await Task.WhenAll(messages.Select(message => Database.StreamAddAsync(Stream, FieldsOf(message))));
    }

    protected override async Task<long> LeftAsync() =>
        await Database.KeyExistsAsync(Stream) && (await Database.StreamGroupInfoAsync(Stream)).SingleOrDefault(group => group.Name == Group) is { Name: not null } group
            ? group.PendingMessageCount + group.Lag!.Value
            : await Database.StreamLengthAsync(Stream);

    protected override Task KillAsync() => _redis.KillAsync();

    protected override Task StartAgainAsync() => _redis.StartAgainAsync();

    [Fact]
    public async Task An_entry_is_known_by_its_place_in_the_stream_when_no_field_identifies_it()
    {
        await using var host = await StartAsync(Port, more: ("IdField", ""));

        var id = await Database.StreamAddAsync(Stream, FieldsOf(new BusMessage(null, "orders:1", "made", "1")));

        await UntilAsync(async () => (await ReadAsync("orders:1")).SingleOrDefault()?.Id == id);
    }

    [Fact]
    public async Task What_a_consumer_of_another_name_was_given_and_never_acknowledged_is_published_first()
    {
        var messages = Messages(100, channels: 1);
        await SendAsync(messages);
        await Database.StreamCreateConsumerGroupAsync(Stream, Group, StreamPosition.Beginning);
        Assert.Equal(50, (await Database.StreamReadGroupAsync(Stream, Group, "gone", StreamPosition.NewMessages, 50)).Length);

        await using var host = await StartAsync(Port);

        await UntilPublishedAsync(messages);
    }

    [Fact]
    public async Task A_group_may_begin_with_what_comes_from_now_on()
    {
        var messages = Messages(2, channels: 1);
        await SendAsync(messages[..1]);

        await using var host = await StartAsync(Port, more: ("FromEnd", "true"));
        await UntilAsync(async () => (await Database.StreamGroupInfoAsync(Stream)).Length > 0);
        await SendAsync(messages[1..]);

        await UntilAsync(async () => await LeftAsync() == 0);
        Assert.Equal(["id-1"], (await ReadAsync("orders:0")).Select(message => message.Id));
    }

    private IDatabase Database => _connection.DatabaseAsync(default).AsTask().GetAwaiter().GetResult();

    private static NameValueEntry[] FieldsOf(BusMessage message) =>
        [.. Fields(message).Where(field => field.Value is not null).Select(field => new NameValueEntry(field.Name, field.Value))];

    private static (string Name, string? Value)[] Fields(BusMessage message) =>
        [("id", message.Id), ("channel", message.Channel), ("event", message.Event), ("data", message.Data)];
}
