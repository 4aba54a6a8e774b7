using System.Globalization;
using Collab.Testing.Servers;
using RabbitMQ.Client;

namespace Collab.RabbitMq.Tests;

/// <summary>One RabbitMQ for all tests, as it takes seconds to start, and a look into its queues.</summary>
public sealed class RabbitMqFixture : IAsyncLifetime
{
    public RabbitMqServer Server { get; private set; } = null!;

    public async Task InitializeAsync() => Server = await RabbitMqServer.StartAsync();

    public async Task DisposeAsync() => await Server.DisposeAsync();

    /// <summary>Makes a durable queue that gets everything of a durable topic exchange of the same name.</summary>
    public async Task<string> CreateQueueAsync(Dictionary<string, object?>? arguments = null)
    {
        var name = $"test-{Guid.NewGuid():N}";
        await using var connection = await RabbitMqBroker.ConnectAsync(Server.Uri, "test", default);
        await using var channel = await connection.CreateChannelAsync();
        await channel.ExchangeDeclareAsync(name, ExchangeType.Topic, durable: true);
        await channel.QueueDeclareAsync(name, durable: true, exclusive: false, autoDelete: false, arguments);
        await channel.QueueBindAsync(name, name, "#");
        return name;
    }

    /// <summary>How many messages a queue has, also those that were handed over and not acknowledged.</summary>
    public async Task<long> CountAsync(string queue)
    {
        var line = (await Server.CallAsync("list_queues", "--no-table-headers", "name", "messages")).Split('\n').Single(line => line.StartsWith(queue, StringComparison.Ordinal));
        return long.Parse(line.Split('\t')[1], CultureInfo.InvariantCulture);
    }

    /// <summary>Takes everything out of a queue.</summary>
    public async Task<IReadOnlyList<BasicGetResult>> TakeAllAsync(string queue)
    {
        await using var connection = await RabbitMqBroker.ConnectAsync(Server.Uri, "test", default);
        await using var channel = await connection.CreateChannelAsync();
        var all = new List<BasicGetResult>();
        while (await channel.BasicGetAsync(queue, autoAck: true) is { } one)
            all.Add(one);
        return all;
    }
}

[CollectionDefinition(Name)]
public sealed class RabbitMqCollection : ICollectionFixture<RabbitMqFixture>
{
    public const string Name = "RabbitMQ";
}
