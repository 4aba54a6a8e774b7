using System.Diagnostics;

namespace Collab.Testing;

/// <summary>Watches how much resident memory a process takes.</summary>
public sealed class MemoryWatch : IDisposable
{
    private readonly Process _process;
    private readonly long _before;
    private readonly Timer _timer;
    private long _peak;

    public MemoryWatch(int processId)
    {
        _process = Process.GetProcessById(processId);
        _before = _peak = _process.WorkingSet64;
        _timer = new Timer(_ => Look(), null, 20, 20);
    }

    /// <summary>Stops watching.</summary>
    /// <returns>By how many bytes the peak was above the beginning.</returns>
    public long Stop()
    {
        _timer.Dispose();
        Look();
        return _peak - _before;
    }

    public void Dispose()
    {
        _timer.Dispose();
        _process.Dispose();
    }

    private void Look()
    {
        _process.Refresh();
        _peak = Math.Max(_peak, _process.WorkingSet64);
    }
}
