using System.Text;
using Collab.Server;
using Collab.Server.Events;
using Collab.Testing.Events;
using Confluent.Kafka;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace Collab.Kafka.Tests;

/// <summary>Events in a topic, over Kafka's protocol.</summary>
public sealed class KafkaSinkTests : EventSinkConformance, IDisposable
{
    private const string Topic = "events";
    private const int Partitions = 4;
    private const int OutOfOrderSequenceNumber = 45;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly KafkaMock _kafka = new();

    protected override string Section => "Collab:Events:Kafka:0";

    public KafkaSinkTests() => _kafka.CreateTopic(Topic, Partitions);

    public void Dispose() => _kafka.Dispose();

    protected override Task<OpenSink> OpenAsync()
    {
        var sink = new KafkaSink(Options(), NullLogger<KafkaSink>.Instance);
        var reader = Reader();
        return Task.FromResult(new OpenSink(
            sink,
            [("BootstrapServers", _kafka.BootstrapServers), ("Topic", Topic), ("Client:linger.ms", "0")],
            () => Task.Run(() => (IReadOnlyList<Received>)[.. TakeAll(reader).Select(one => new Received(
                Header(one, "ce_id"), Header(one, "ce_type"), one.Message.Key, Encoding.UTF8.GetString(one.Message.Value)))]),
            () =>
            {
                sink.Dispose();
                reader.Dispose();
                return default;
            }));
    }

    protected override void Add(ICollabBuilder collab, IConfiguration configuration) => collab.AddKafka(configuration);

    protected override Task KillAsync()
    {
        _kafka.Down();
        return Task.CompletedTask;
    }

    protected override Task StartAgainAsync()
    {
        _kafka.Up();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task An_event_is_a_message_under_its_subject_that_says_what_it_is()
    {
        using var sink = new KafkaSink(Options(), NullLogger<KafkaSink>.Instance);
        using var reader = Reader();

        await SendAsync(sink, [EventOf("channels/a/b", "id-1")]);

        var one = reader.Consume(Patience);
        while (one.IsPartitionEOF)
            one = reader.Consume(Patience);
        Assert.Equal(("channels/a/b", DateTime.UnixEpoch.AddSeconds(1)), (one.Message.Key, one.Message.Timestamp.UtcDateTime));
        Assert.Equal("application/cloudevents+json; charset=UTF-8", Header(one, "content-type"));
        Assert.Equal(("id-1", "channels/a/b", "1.0"), (Header(one, "ce_id"), Header(one, "ce_subject"), Header(one, "ce_specversion")));
    }

    [Fact]
    public async Task After_an_error_that_ends_the_client_another_one_goes_on()
    {
        using var sink = new KafkaSink(Options(), NullLogger<KafkaSink>.Instance);
        _kafka.FailNext(OutOfOrderSequenceNumber);

        Assert.NotEqual(EventOutcome.Delivered, await sink.SendAsync([EventOf("channels/a", "1")], default));
        await SendAsync(sink, [EventOf("channels/a", "1")]);
    }

    private KafkaSinkOptions Options() => new()
    {
        Name = "kafka",
        BootstrapServers = _kafka.BootstrapServers,
        Topic = Topic,
        Client = { ["message.timeout.ms"] = "1000", ["reconnect.backoff.max.ms"] = "500", ["retry.backoff.ms"] = "50" },
    };

    private IConsumer<string, byte[]> Reader()
    {
        var reader = new ConsumerBuilder<string, byte[]>(new ConsumerConfig
        {
            BootstrapServers = _kafka.BootstrapServers,
            GroupId = "test",
            EnableAutoCommit = false,
            EnablePartitionEof = true,
            ReconnectBackoffMaxMs = 500,
        }).SetLogHandler((_, _) => { }).Build();
        reader.Assign(Enumerable.Range(0, Partitions).Select(partition => new TopicPartitionOffset(Topic, partition, Offset.Beginning)));
        return reader;
    }

    // Up to the end of each partition.
    private static IEnumerable<ConsumeResult<string, byte[]>> TakeAll(IConsumer<string, byte[]> reader)
    {
        while (reader.Consume(TimeSpan.FromMilliseconds(500)) is { } one)
        {
            if (!one.IsPartitionEOF)
                yield return one;
        }
    }

    private static string Header(ConsumeResult<string, byte[]> one, string name) => Encoding.UTF8.GetString(one.Message.Headers.GetLastBytes(name));
}
