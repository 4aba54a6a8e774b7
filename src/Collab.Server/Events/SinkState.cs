using System.Text.Json;
using Collab.Protocol;
using Collab.Server.Rooms;

namespace Collab.Server.Events;

/// <summary>How far a sink is, as it is kept in the store.</summary>
/// <param name="Done">For each log of the outbox the offset up to which all events were delivered, but for those of rooms that are behind.</param>
/// <param name="Behind">The rooms that are behind.</param>
/// <param name="Disabled">Why nothing is sent to it; null when it is.</param>
/// <param name="Fault">Why the last attempt failed; null when it did not.</param>
/// <param name="DeliveredAt">When an event was delivered last, in milliseconds since 1970; null before the first.</param>
internal sealed record SinkState(
    IReadOnlyList<long> Done, IReadOnlyList<RoomBehind> Behind, string? Disabled = null, string? Fault = null, long? DeliveredAt = null)
{
    public static RoomKey KeyOf(string sink) => new(RoomKind.Events, "sinks/" + sink);

    public static SinkState Decode(ReadOnlyMemory<byte> state) => JsonSerializer.Deserialize<SinkState>(state.Span, JsonSerializerOptions.Web)!;

    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, JsonSerializerOptions.Web);
}

/// <summary>A room whose events could not be delivered, while those of others were.</summary>
/// <param name="Subject">The room; see <see cref="EventNote.Subject"/>.</param>
/// <param name="Shard">In which log of the outbox its events are.</param>
/// <param name="From">The offset, in that log, of the first event that was not.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="RetryAt">When it is tried again, in milliseconds since 1970.</param>
internal sealed record RoomBehind(string Subject, int Shard, long From, int Attempts, long RetryAt);

/// <summary>Keeps the states of sinks: the last entry of a log each. Who has not seen the last one cannot write.</summary>
internal sealed class SinkStates(IRoomLog log)
{
    private const int KeptEntries = 32;

    /// <summary>Reads a sink's state. A sink that has none begins with what happens from now on.</summary>
    public async Task<(SinkState State, Position Position)> ReadAsync(string sink, CancellationToken cancellationToken)
    {
        var key = SinkState.KeyOf(sink);
        while (true)
        {
            var page = await log.ReadBeforeAsync(key, long.MaxValue, 1, 1, cancellationToken);
            var position = new Position(page.Epoch, page.Head);
            if (page.Entries.Count > 0)
                return (SinkState.Decode(page.Entries[^1].Data), position);
            var heads = await log.ReadHeadsAsync([.. Enumerable.Range(0, EventOutbox.Shards).Select(EventOutbox.KeyOf)], cancellationToken);
            await TryWriteAsync(sink, new SinkState([.. heads.Select(head => head.Offset)], []), position, cancellationToken);
        }
    }

    /// <summary>Writes a sink's state.</summary>
    /// <returns>Its position; null, and nothing is written, when somebody else has written since.</returns>
    public async Task<Position?> TryWriteAsync(string sink, SinkState state, Position after, CancellationToken cancellationToken)
    {
        var key = SinkState.KeyOf(sink);
        if (await log.AppendAsync([new RoomAppend(key, [new NewLogEntry(state.Encode())], after)], cancellationToken) is not [var appended])
            return null;
        if (appended.Last.Offset % KeptEntries == 0)
            await log.TrimAsync(key, new LogRetention(KeptEntries, long.MaxValue, TimeSpan.MaxValue), cancellationToken);
        return appended.Last;
    }
}
