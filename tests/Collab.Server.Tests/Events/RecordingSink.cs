using System.Collections.Concurrent;
using System.Text.Json;

namespace Collab.Server.Events;

/// <summary>An application's own sink, which keeps what it is sent and answers as the test says.</summary>
internal sealed class RecordingSink : IEventSink
{
    /// <summary>Every event of every attempt, with whether it was taken.</summary>
    public ConcurrentQueue<(OutgoingEvent Event, bool IsTaken)> Attempts { get; } = new();

    public Func<OutgoingEvent, EventOutcome> Answer { get; set; } = _ => EventOutcome.Delivered;

    /// <summary>What every attempt waits for.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public int MaxBatch { get; init; } = 1;

    public int LargestBatch { get; private set; }

    public IEnumerable<OutgoingEvent> Taken => Attempts.Where(attempt => attempt.IsTaken).Select(attempt => attempt.Event);

    public async ValueTask<EventOutcome> SendAsync(IReadOnlyList<OutgoingEvent> events, CancellationToken cancellationToken)
    {
        await Gate.WaitAsync(cancellationToken);
        LargestBatch = Math.Max(LargestBatch, events.Count);
        var outcomes = events.Select(Answer).ToArray();
        var outcome = outcomes.FirstOrDefault(outcome => outcome != EventOutcome.Delivered) ?? EventOutcome.Delivered;
        foreach (var one in events)
            Attempts.Enqueue((one, outcome == EventOutcome.Delivered));
        return outcome;
    }

    public static JsonElement DataOf(OutgoingEvent one) => JsonElement.Parse(one.Json.Span).GetProperty("data");

    public async Task UntilAsync(Func<RecordingSink, bool> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition(this))
        {
            try
            {
                await Task.Delay(10, patience.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"It was sent: {string.Join(", ", Attempts.Select(attempt => $"{attempt.Event.Type} {attempt.Event.Subject} {attempt.IsTaken}"))}");
            }
        }
    }

    public Task UntilTakenAsync(int count) => UntilAsync(sink => sink.Taken.Count() >= count);
}
