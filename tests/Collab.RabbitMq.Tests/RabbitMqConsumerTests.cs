using System.Text;
using Collab.Server;
using Collab.Testing.Consumers;
using Microsoft.Extensions.Configuration;
using RabbitMQ.Client;

namespace Collab.RabbitMq.Tests;

/// <summary>Messages of a queue in a real RabbitMQ as messages of channels.</summary>
[Collection(RabbitMqCollection.Name)]
public sealed class RabbitMqConsumerTests(RabbitMqFixture rabbit) : ConsumerConformance, IAsyncLifetime
{
    private string _queue = null!;
    private string _dead = null!;

    protected override string Section => "Collab:Consumers:RabbitMq:0";

    protected override int Port => rabbit.Server.Port;

    public async Task InitializeAsync()
    {
        _dead = await rabbit.CreateQueueAsync();
        _queue = await rabbit.CreateQueueAsync(new() { ["x-dead-letter-exchange"] = _dead });
    }

    public Task DisposeAsync() => Task.CompletedTask;

    protected override IEnumerable<(string Key, string Value)> Source(int port) =>
        [("Uri", $"amqp://guest:guest@127.0.0.1:{port}/"), ("Queue", _queue)];

    protected override void Add(ICollabBuilder collab, IConfiguration configuration) => collab.AddRabbitMq(configuration);

    protected override async Task SendAsync(IReadOnlyList<BusMessage> messages)
    {
        await using var connection = await RabbitMqBroker.ConnectAsync(rabbit.Server.Uri, "test", default);
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true));
        await Task.WhenAll(messages.Select(message => channel.BasicPublishAsync(
            _queue, "any", mandatory: true, PropertiesOf(message), Encoding.UTF8.GetBytes(message.Data!)).AsTask()).ToArray());
    }

    protected override async Task<long> LeftAsync() => await rabbit.CountAsync(_queue);

    protected override Task KillAsync() => rabbit.Server.KillAsync();

    protected override Task StartAgainAsync() => rabbit.Server.StartAgainAsync();

    [Fact]
    public async Task What_can_never_be_published_goes_to_the_queues_dead_letter_exchange()
    {
        await using var host = await StartAsync(Port);

        await SendAsync([new("1", "orders:0", "made", "no JSON"), .. Messages(3, channels: 1)]);

        await UntilPublishedAsync(Messages(3, channels: 1));
        Assert.Equal(["no JSON"], (await rabbit.TakeAllAsync(_dead)).Select(message => Encoding.UTF8.GetString(message.Body.Span)));
    }

    [Fact]
    public async Task Event_and_channel_may_be_the_messages_own_type_and_routing_key()
    {
        await using var host = await StartAsync(Port, more: [("EventField", "type"), ("ChannelField", "routing-key"), ("Channels:0", "any")]);

        await SendAsync([new("1", "", "made", "1")]);

        await UntilAsync(async () => (await ReadAsync("any")).SingleOrDefault() is { Event: "made", Id: "1" });
    }

    private static BasicProperties PropertiesOf(BusMessage message) => new()
    {
        Persistent = true,
        MessageId = message.Id,
        Type = message.Event,
        Headers = new Dictionary<string, object?> { ["channel"] = message.Channel, ["event"] = message.Event },
    };
}
