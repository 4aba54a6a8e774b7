using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Collab.Server;
using Collab.Server.Consumers;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Collab.RabbitMq;

/// <summary>
/// Publishes the messages of a queue, in order. A message is acknowledged when it is in its channel, and rejected when it never will be: it goes to
/// the queue's dead letter exchange, if there is one. What was not acknowledged RabbitMQ hands over again, from the oldest on.
/// </summary>
internal sealed class RabbitMqConsumer(RabbitMqConsumerOptions options, IChannelIntake intake, ILogger<RabbitMqConsumer> logger, TimeProvider clock)
    : BackgroundService
{
    private const int MaxBatch = 200;
    private const int AccessRefused = 403;

    // Until it is looked again whether RabbitMQ, the store or the queue can be had.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private bool _isAway;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                try
                {
                    await ConsumeAsync(stoppingToken);
                }
                catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
                {
                    Away(exception);
                }

                await Task.Delay(Pause, clock, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops; what is not acknowledged comes again.
        }
    }

    /// <summary>Reads over one connection, until it is lost.</summary>
    private async Task ConsumeAsync(CancellationToken cancellationToken)
    {
        await using var connection = await RabbitMqBroker.ConnectAsync(options.Uri, options.Name, cancellationToken);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        await channel.BasicQosAsync(0, (ushort)options.Prefetch, global: false, cancellationToken);

        // RabbitMQ bounds it: there are never more than the prefetch.
        var deliveries = System.Threading.Channels.Channel.CreateUnbounded<Delivery>(new() { SingleReader = true });
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, message) =>
        {
            deliveries.Writer.TryWrite(new Delivery(message.DeliveryTag, MessageOf(message)));
            return Task.CompletedTask;
        };
        channel.ChannelShutdownAsync += (_, shutdown) => EndAsync(shutdown.ReplyText);
        consumer.UnregisteredAsync += (_, _) => EndAsync("the queue has gone");
        await channel.BasicConsumeAsync(
            options.Queue, autoAck: false, consumerTag: "", noLocal: false, options.Exclusive, arguments: null, consumer, cancellationToken);
        RabbitMqLog.ConsumerReads(logger, options.Name, options.Queue);
        _isAway = false;

        var batch = new List<Delivery>(MaxBatch);
        while (await deliveries.Reader.WaitToReadAsync(cancellationToken))
        {
            batch.Clear();
            while (batch.Count < MaxBatch && deliveries.Reader.TryRead(out var delivery))
                batch.Add(delivery);
            await SettleAsync(channel, batch, await PublishAsync(channel, batch, cancellationToken), cancellationToken);
        }

        Task EndAsync(string reason)
        {
            deliveries.Writer.TryComplete(new IOException(reason));
            return Task.CompletedTask;
        }
    }

    /// <summary>Publishes, again and again while the store is away: handed back, the messages would only come again, which RabbitMQ may count.</summary>
    private async Task<IReadOnlyList<string?>> PublishAsync(IChannel channel, List<Delivery> batch, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await intake.PublishAsync(options, [.. batch.Select(delivery => delivery.Message)], cancellationToken);
            }
            catch (CollabException exception) when (channel.IsOpen)
            {
                Away(exception);
            }

            await Task.Delay(Pause, clock, cancellationToken);
        }
    }

    /// <summary>Rejects what was refused, then acknowledges the others at once: all up to the last.</summary>
    private async Task SettleAsync(IChannel channel, List<Delivery> batch, IReadOnlyList<string?> refusals, CancellationToken cancellationToken)
    {
        _isAway = false;
        ulong? published = null;
        for (var i = 0; i < batch.Count; i++)
        {
            if (refusals[i] is null)
                published = batch[i].Tag;
            else
                await channel.BasicRejectAsync(batch[i].Tag, requeue: false, cancellationToken);
        }

        if (published is { } last)
            await channel.BasicAckAsync(last, multiple: true, cancellationToken);
    }

    private void Away(Exception exception)
    {
        // Another node reads, as it should be.
        if (exception is OperationInterruptedException { ShutdownReason: { ReplyCode: AccessRefused } reason } && reason.ReplyText.Contains("exclusive", StringComparison.Ordinal))
            return;
        if (!_isAway)
            RabbitMqLog.ConsumerAway(logger, options.Name, exception.Message);
        _isAway = true;
    }

    // The bytes are the library's, and are used again.
    private static ConsumedMessage MessageOf(BasicDeliverEventArgs message)
    {
        var (properties, routingKey) = (message.BasicProperties, message.RoutingKey);
        return new ConsumedMessage(
            properties.MessageId,
            field => properties.Headers?.TryGetValue(field, out var value) is true ? TextOf(value) : field switch
            {
                "type" => properties.Type,
                "message-id" => properties.MessageId,
                "routing-key" => routingKey,
                _ => null,
            },
            message.Body.ToArray());
    }

    private static string? TextOf(object? value) => value switch
    {
        byte[] bytes => Encoding.UTF8.GetString(bytes),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture),
    };

    private readonly record struct Delivery(ulong Tag, ConsumedMessage Message);
}
