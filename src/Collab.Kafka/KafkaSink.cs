using System.Text;
using Collab.Server.Events;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace Collab.Kafka;

/// <summary>
/// Produces events to a topic. The key is the event's subject, so those of a room are in one partition, in order; the value is the whole
/// event as JSON (structured mode of the CloudEvents Kafka binding), and headers <c>ce_…</c> have its attributes.
/// </summary>
internal sealed class KafkaSink(KafkaSinkOptions options, ILogger<KafkaSink> logger) : IEventSink, IDisposable
{
    private static readonly byte[] ContentType = "application/cloudevents+json; charset=UTF-8"u8.ToArray();
    private static readonly byte[] SpecVersion = "1.0"u8.ToArray();

    private readonly Lock _gate = new();
    private IProducer<string, byte[]>? _producer;
    private volatile bool _hasEnded;

    public int MaxBatch => 100;

    /// <summary>Has the client look at its settings, which are many.</summary>
    /// <returns>A sentence that says which setting is wrong; null when none is.</returns>
    public static string? Fault(KafkaSinkOptions options, string section)
    {
        try
        {
            using var producer = Builder(options).SetLogHandler(static (_, _) => { }).Build();
            return null;
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException or KafkaException)
        {
            return $"{section}:Client must hold settings that librdkafka takes. It says: {exception.Message}";
        }
    }

    public async ValueTask<EventOutcome> SendAsync(IReadOnlyList<OutgoingEvent> events, CancellationToken cancellationToken)
    {
        var producer = Producer();
        try
        {
            var sending = new List<Task>(events.Count);
            foreach (var one in events)
            {
                sending.Add(producer.ProduceAsync(options.Topic, MessageOf(one), cancellationToken));
                // One that finds no place must not be overtaken by those after it.
                if (sending[^1].IsFaulted)
                    break;
            }

            await Task.WhenAll(sending);
            return EventOutcome.Delivered;
        }
        catch (KafkaException exception)
        {
            return EventOutcome.Failed($"Kafka: {exception.Error.Reason}");
        }
    }

    public void Dispose() => _producer?.Dispose();

    private static ProducerBuilder<string, byte[]> Builder(KafkaSinkOptions options) => new(new ProducerConfig(new Dictionary<string, string>(options.Client))
    {
        BootstrapServers = options.BootstrapServers,
        Acks = Acks.All,
        EnableIdempotence = true,
        // When an event fails for good, those behind it fail too, and are not in the topic before it.
        EnableGaplessGuarantee = true,
    });

    private static Message<string, byte[]> MessageOf(OutgoingEvent one) => new()
    {
        Key = one.Subject,
        Value = one.Json.ToArray(),
        Timestamp = new Timestamp(one.Time),
        Headers =
        [
            new Header("content-type", ContentType),
            new Header("ce_specversion", SpecVersion),
            new Header("ce_id", Encoding.UTF8.GetBytes(one.Id)),
            new Header("ce_type", Encoding.UTF8.GetBytes(one.Type)),
            new Header("ce_source", Encoding.UTF8.GetBytes(one.Source)),
            new Header("ce_subject", Encoding.UTF8.GetBytes(one.Subject)),
            new Header("ce_time", Encoding.UTF8.GetBytes(one.Time.ToString("O"))),
        ],
    };

    /// <summary>The client connects by itself, also again. Only after a fatal error it takes nothing more, and another one is made.</summary>
    private IProducer<string, byte[]> Producer()
    {
        lock (_gate)
        {
            if (_hasEnded)
                _producer?.Dispose();
            if (_hasEnded || _producer is null)
            {
                _hasEnded = false;
                _producer = Builder(options)
                    .SetLogHandler((_, line) => KafkaLog.Said(logger, options.Name, line.Message))
                    .SetErrorHandler((_, error) => Note(error))
                    .Build();
            }

            return _producer;
        }
    }

    private void Note(Error error)
    {
        KafkaLog.Said(logger, options.Name, error.Reason);
        if (error.IsFatal)
            _hasEnded = true;
    }
}
