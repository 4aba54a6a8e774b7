using System.Text;
using Collab.Server;
using Collab.Server.Events;
using Collab.Testing.Events;
using Microsoft.Extensions.Configuration;

namespace Collab.RabbitMq.Tests;

/// <summary>Events in an exchange of a real RabbitMQ.</summary>
[Collection(RabbitMqCollection.Name)]
public sealed class RabbitMqSinkTests(RabbitMqFixture rabbit) : EventSinkConformance
{
    private string? _queue;

    protected override string Section => "Collab:Events:RabbitMq:0";

    protected override async Task<OpenSink> OpenAsync()
    {
        var queue = _queue ??= await rabbit.CreateQueueAsync();
        var sink = SinkTo(queue);
        return new OpenSink(
            sink,
            [("Uri", rabbit.Server.Uri), ("Exchange", queue)],
            async () => [.. (await rabbit.TakeAllAsync(queue)).Select(one => new Received(
                one.BasicProperties.MessageId!, one.BasicProperties.Type!, Header(one.BasicProperties.Headers!, "subject"), Encoding.UTF8.GetString(one.Body.Span)))],
            sink.DisposeAsync);
    }

    protected override void Add(ICollabBuilder collab, IConfiguration configuration) => collab.AddRabbitMq(configuration);

    protected override Task KillAsync() => rabbit.Server.KillAsync();

    protected override Task StartAgainAsync() => rabbit.Server.StartAgainAsync();

    [Fact]
    public async Task An_event_is_a_durable_message_that_says_what_it_is()
    {
        var queue = await rabbit.CreateQueueAsync();
        await using var sink = SinkTo(queue);

        await SendAsync(sink, [EventOf("channels/a/b", "id-1")]);

        var one = Assert.Single(await rabbit.TakeAllAsync(queue));
        Assert.Equal("channels.a.b", one.RoutingKey);
        Assert.Equal(("application/cloudevents+json", true, "id-1"), (one.BasicProperties.ContentType, one.BasicProperties.Persistent, one.BasicProperties.MessageId));
        Assert.Equal("id-1", Header(one.BasicProperties.Headers!, "id"));
        Assert.Equal("collab.channel.published", Header(one.BasicProperties.Headers!, "type"));
    }

    [Fact]
    public async Task An_event_that_no_queue_gets_has_failed_unless_it_may_be_dropped()
    {
        await using var strict = new RabbitMqSink(Options("amq.topic"));
        var lax = Options("amq.topic");
        lax.Mandatory = false;
        await using var dropping = new RabbitMqSink(lax);

        Assert.NotEqual(EventOutcome.Delivered, await strict.SendAsync([EventOf("channels/nobody", "1")], default));
        Assert.Equal(EventOutcome.Delivered, await dropping.SendAsync([EventOf("channels/nobody", "1")], default));
    }

    [Fact]
    public async Task An_event_that_a_full_queue_refuses_has_failed_and_comes_when_there_is_space()
    {
        var queue = await rabbit.CreateQueueAsync(new() { ["x-max-length"] = 1, ["x-overflow"] = "reject-publish" });
        await using var sink = SinkTo(queue);
        await SendAsync(sink, [EventOf("channels/a", "1")]);

        Assert.NotEqual(EventOutcome.Delivered, await sink.SendAsync([EventOf("channels/a", "2")], default));
        await rabbit.TakeAllAsync(queue);

        Assert.Equal(EventOutcome.Delivered, await sink.SendAsync([EventOf("channels/a", "2")], default));
    }

    [Fact]
    public async Task An_exchange_that_is_missing_fails_a_sending_until_it_is_there()
    {
        var options = Options($"missing-{Guid.NewGuid():N}");
        options.Mandatory = false;
        await using var sink = new RabbitMqSink(options);

        await Assert.ThrowsAnyAsync<Exception>(async () => await sink.SendAsync([EventOf("channels/a", "1")], default));
        options.ExchangeType = "topic";

        Assert.Equal(EventOutcome.Delivered, await sink.SendAsync([EventOf("channels/a", "1")], default));
    }

    private RabbitMqSink SinkTo(string exchange) => new(Options(exchange));

    private RabbitMqSinkOptions Options(string exchange) => new() { Name = "rabbit", Uri = rabbit.Server.Uri, Exchange = exchange };

    // RabbitMQ's texts are bytes in headers.
    private static string Header(IDictionary<string, object?> headers, string attribute) => Encoding.UTF8.GetString((byte[])headers[$"cloudEvents:{attribute}"]!);
}
