using System.Diagnostics;

namespace Collab.Crdt.Bench;

/// <summary>The median and best time of a piece of work, in milliseconds, and how many runs were counted.</summary>
internal sealed record Times(double Median, double Best, int Runs);

/// <summary>How a piece of work is timed; <c>node/measure.mjs</c> has the same rules.</summary>
internal static class Measure
{
    private const int AtLeast = 3;

    private const int AtMost = 1000;

    private static readonly TimeSpan WarmUp = TimeSpan.FromMilliseconds(1500);
    private static readonly TimeSpan Counted = TimeSpan.FromMilliseconds(1500);

    // A first run slower than this is the only one.
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(10);

    /// <summary>Runs until warm, then counts.</summary>
    public static Times Run<TResult>(Func<TResult> run, out TResult result) => Run(() => 0, _ => run(), out result);

    /// <summary>Prepares (outside the time) and runs until warm, then counts. Gives the last run's result too.</summary>
    public static Times Run<TState, TResult>(Func<TState> prepare, Func<TState, TResult> run, out TResult result)
    {
        TResult last = default!;
        TimeSpan Once()
        {
            var state = prepare();
            var started = Stopwatch.GetTimestamp();
            last = run(state);
            return Stopwatch.GetElapsedTime(started);
        }

        var times = new List<TimeSpan>();
        var spent = Once();
        if (spent > Slow)
        {
            times.Add(spent);
        }
        else
        {
            while (spent < WarmUp)
                spent += Once();
            // Tiered compilation replaces hot code in the background; let it finish.
            Thread.Sleep(200);
            for (spent = TimeSpan.Zero; (times.Count < AtLeast || spent < Counted) && times.Count < AtMost; spent += times[^1])
                times.Add(Once());
        }
        times.Sort();
        result = last;
        return new Times(times[times.Count / 2].TotalMilliseconds, times[0].TotalMilliseconds, times.Count);
    }
}
