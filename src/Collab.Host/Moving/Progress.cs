using System.Globalization;

namespace Collab.Host.Moving;

/// <summary>Shows how far it is on standard error: a bar on a terminal, elsewhere a line now and then.</summary>
internal sealed class Progress : IDisposable
{
    private const int BarWidth = 30;

    private readonly bool _isTerminal = !Console.IsErrorRedirected;
    private readonly MovingSummary _summary;
    private readonly long? _total;
    private readonly Lock _gate = new();
    private readonly Timer _timer;
    private int _width;
    private bool _isOver;

    /// <param name="summary">What is done so far.</param>
    /// <param name="total">How many documents there are; null when nobody knows.</param>
    public Progress(MovingSummary summary, long? total)
    {
        (_summary, _total) = (summary, total);
        var interval = TimeSpan.FromSeconds(_isTerminal ? 0.1 : 5);
        _timer = new Timer(_ => Show(), null, interval, interval);
    }

    /// <summary>Takes the bar away.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        lock (_gate)
        {
            _isOver = true;
            if (_width > 0)
                Console.Error.Write($"\r{new string(' ', _width)}\r");
        }
    }

    /// <summary>The line that says how far it is.</summary>
    internal static string LineOf((long Documents, long Bytes, int Refused) now, long? total)
    {
        var done = string.Create(CultureInfo.InvariantCulture, $"{now.Documents:N0}");
        if (total is > 0)
        {
            var part = Math.Min(1.0, (double)now.Documents / total.Value);
            var full = (int)(part * BarWidth);
            done = string.Create(
                CultureInfo.InvariantCulture, $"[{new string('#', full)}{new string('-', BarWidth - full)}] {(int)(part * 100),3} %  {done} of {total:N0}");
        }

        var refused = now.Refused == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", {now.Refused:N0} refused");
        return $"{done} documents, {MovingSummary.Megabytes(now.Bytes)} MB{refused}";
    }

    private void Show()
    {
        lock (_gate)
        {
            if (_isOver)
                return;
            var line = LineOf(_summary.Now, _total);
            if (!_isTerminal)
            {
                Console.Error.WriteLine(line);
                return;
            }

            Console.Error.Write($"\r{line.PadRight(_width)}");
            _width = line.Length;
        }
    }
}
