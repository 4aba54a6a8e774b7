using System.Text.Json;
using Collab.Server.Rooms;
using Microsoft.Extensions.Options;

namespace Collab.Server.Events;

/// <summary>An event that its sink has not taken.</summary>
/// <param name="Id">The event's id.</param>
/// <param name="Type">What has happened, as on the wire.</param>
/// <param name="Subject">Where.</param>
/// <param name="Time">When, in milliseconds since 1970.</param>
/// <param name="Reason">Why it was not taken, as the last attempt ended.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="DeadAt">When it was given up, in milliseconds since 1970.</param>
/// <param name="Event">The event: CloudEvents 1.0 in JSON.</param>
internal sealed record DeadLetter(string Id, string Type, string Subject, long Time, string Reason, int Attempts, long DeadAt, JsonElement Event)
{
    public OutgoingEvent ToEvent() =>
        new(Id, Type, Event.GetProperty("source").GetString()!, Subject, DateTimeOffset.FromUnixTimeMilliseconds(Time), JsonSerializer.SerializeToUtf8Bytes(Event));
}

/// <summary>The events that sinks have not taken, until an operator sends them again or they are too many.</summary>
internal sealed class EventDeadLetters(IRoomLog log, IOptions<EventOptions> options, TimeProvider clock)
{
    private const int PageEntries = 1000;
    private const long PageBytes = 4 * 1024 * 1024;

    public async Task AddAsync(string sink, OutgoingEvent one, string reason, int attempts, CancellationToken cancellationToken)
    {
        var letter = new DeadLetter(
            one.Id, one.Type, one.Subject, one.Time.ToUnixTimeMilliseconds(), reason, attempts, clock.GetUtcNow().ToUnixTimeMilliseconds(), JsonElement.Parse(one.Json.Span));
        var appended = await log.AppendAsync(KeyOf(sink), [Encode(new Entry(letter, null))], cancellationToken);
        if (appended.Last.Offset % LogRetention.MaxTrim == 0)
            await log.TrimAsync(KeyOf(sink), new LogRetention(options.Value.KeepDeadLetters, long.MaxValue, TimeSpan.MaxValue), cancellationToken);
    }

    /// <summary>Those of a sink that were not delivered since, the oldest first.</summary>
    public async Task<IReadOnlyCollection<DeadLetter>> ReadAsync(string sink, CancellationToken cancellationToken)
    {
        var letters = new OrderedDictionary<string, DeadLetter>(StringComparer.Ordinal);
        LogPage page;
        for (long after = 0; ; after = page.ReachedFrom(after))
        {
            page = await log.ReadAsync(KeyOf(sink), after, PageEntries, PageBytes, cancellationToken);
            foreach (var entry in page.Entries)
            {
                var (letter, gone) = JsonSerializer.Deserialize<Entry>(entry.Data.Span, JsonSerializerOptions.Web)!;
                if (gone is not null)
                    letters.Remove(gone);
                if (letter is not null)
                    letters[letter.Id] = letter;
            }

            if (page.ReachedFrom(after) >= page.Head)
                return letters.Values;
        }
    }

    /// <summary>Takes one away: it was delivered, or is not wanted.</summary>
    public async Task RemoveAsync(string sink, string id, CancellationToken cancellationToken) =>
        await log.AppendAsync(KeyOf(sink), [Encode(new Entry(null, id))], cancellationToken);

    private static RoomKey KeyOf(string sink) => new(RoomKind.DeadLetters, sink);

    private static NewLogEntry Encode(Entry entry) => new(JsonSerializer.SerializeToUtf8Bytes(entry, JsonSerializerOptions.Web));

    private sealed record Entry(DeadLetter? Letter, string? Gone);
}
