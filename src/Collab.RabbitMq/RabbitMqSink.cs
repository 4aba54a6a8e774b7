using Collab.Server.Events;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Collab.RabbitMq;

/// <summary>
/// Publishes events to an exchange, and takes them for delivered when RabbitMQ has confirmed them. The body is the whole event as JSON
/// (structured mode of the CloudEvents AMQP binding); headers <c>cloudEvents:…</c> have its attributes.
/// </summary>
internal sealed class RabbitMqSink(RabbitMqSinkOptions options) : IEventSink, IAsyncDisposable
{
    private readonly Lock _gate = new();
    private IConnection? _connection;
    private Task<IChannel>? _opening;

    public int MaxBatch => options.Batch;

    public async ValueTask<EventOutcome> SendAsync(IReadOnlyList<OutgoingEvent> events, CancellationToken cancellationToken)
    {
        var channel = await Channel().WaitAsync(cancellationToken);
        try
        {
            // They are written in the order in which they are begun.
            await Task.WhenAll(events.Select(one => PublishAsync(channel, one, cancellationToken)).ToArray());
            return EventOutcome.Delivered;
        }
        catch (PublishException exception) when (exception.IsReturn)
        {
            return EventOutcome.Failed("RabbitMQ has no queue for the routing key");
        }
        catch (PublishException)
        {
            return EventOutcome.Failed("RabbitMQ has not taken it in; a queue may be full");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is { } connection)
            await connection.DisposeAsync();
    }

    private Task PublishAsync(IChannel channel, OutgoingEvent one, CancellationToken cancellationToken) => channel.BasicPublishAsync(
        options.Exchange, options.RoutingKeyOf(one.Subject, one.Type), options.Mandatory, PropertiesOf(one), one.Json, cancellationToken).AsTask();

    private static BasicProperties PropertiesOf(OutgoingEvent one) => new()
    {
        ContentType = "application/cloudevents+json",
        ContentEncoding = "utf-8",
        Persistent = true,
        MessageId = one.Id,
        Type = one.Type,
        Timestamp = new AmqpTimestamp(one.Time.ToUnixTimeSeconds()),
        Headers = new Dictionary<string, object?>
        {
            ["cloudEvents:specversion"] = "1.0",
            ["cloudEvents:id"] = one.Id,
            ["cloudEvents:type"] = one.Type,
            ["cloudEvents:source"] = one.Source,
            ["cloudEvents:subject"] = one.Subject,
            ["cloudEvents:time"] = one.Time.ToString("O"),
        },
    };

    /// <summary>The channel that all rooms share: one that is open, or is being opened for all who wait for it.</summary>
    private Task<IChannel> Channel()
    {
        lock (_gate)
        {
            if (_opening is null or { IsCompleted: true, IsCompletedSuccessfully: false } or { IsCompletedSuccessfully: true, Result.IsOpen: false })
                _opening = OpenAsync();
            return _opening;
        }
    }

    private async Task<IChannel> OpenAsync()
    {
        if (_connection is { IsOpen: false } lost)
        {
            _connection = null;
            await lost.DisposeAsync();
        }

        _connection ??= await RabbitMqBroker.ConnectAsync(options.Uri, options.Name, CancellationToken.None);
        var channel = await _connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
        if (options.ExchangeType is { Length: > 0 } type)
            await channel.ExchangeDeclareAsync(options.Exchange, type, durable: true);
        return channel;
    }
}
