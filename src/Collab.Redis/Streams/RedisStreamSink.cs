using Collab.Server.Events;
using StackExchange.Redis;

namespace Collab.Redis.Streams;

/// <summary>
/// Adds events to a stream (<c>XADD</c>): the fields <c>id</c>, <c>type</c>, <c>source</c>, <c>subject</c> and <c>time</c> of the event, and
/// <c>data</c>, the whole of it as JSON.
/// </summary>
internal sealed class RedisStreamSink(RedisStreamSinkOptions options, RedisConnection connection) : IEventSink, IDisposable
{
    private readonly RedisKey _stream = options.Stream;
    private readonly int? _maxLength = options.MaxLength > 0 ? options.MaxLength : null;

    public int MaxBatch => 100;

    public async ValueTask<EventOutcome> SendAsync(IReadOnlyList<OutgoingEvent> events, CancellationToken cancellationToken)
    {
        var database = await connection.DatabaseAsync(cancellationToken);
        // All or none: an attempt that breaks off leaves no later event before an earlier one.
        var transaction = database.CreateTransaction();
        var adding = events.Select(one => transaction.StreamAddAsync(_stream, FieldsOf(one), maxLength: _maxLength, useApproximateMaxLength: true)).ToArray();
        if (!await transaction.ExecuteAsync().WaitAsync(cancellationToken))
            return EventOutcome.Failed("Redis has not carried out the transaction");
        await Task.WhenAll(adding).WaitAsync(cancellationToken);
        return EventOutcome.Delivered;
    }

    public void Dispose() => connection.Dispose();

    private static NameValueEntry[] FieldsOf(OutgoingEvent one) =>
    [
        new("id", one.Id),
        new("type", one.Type),
        new("source", one.Source),
        new("subject", one.Subject),
        new("time", one.Time.ToString("O")),
        new("data", one.Json),
    ];
}
