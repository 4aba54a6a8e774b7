namespace Collab.Crdt.Tests;

/// <summary>Time that stands still until the test advances it, and the one timer that runs on it.</summary>
internal sealed class TestTime : TimeProvider
{
    private long _now;
    private TestTimer? _timer;

    public bool IsRunning => _timer is not null;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        _timer = new TestTimer(this, () => callback(state), period);

    public void Advance(TimeSpan by)
    {
        for (var seconds = 0; seconds < by.TotalSeconds; seconds++)
        {
            _now += TimeSpan.TicksPerSecond;
            if (_timer is { } timer && _now % timer.Period.Ticks == 0)
                timer.Call();
        }
    }

    private sealed class TestTimer(TestTime time, Action call, TimeSpan period) : ITimer
    {
        public TimeSpan Period { get; } = period;

        public void Call() => call();

        public bool Change(TimeSpan dueTime, TimeSpan period) => false;

        public void Dispose() => time._timer = null;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
