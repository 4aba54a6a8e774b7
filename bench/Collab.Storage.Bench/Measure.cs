using System.Diagnostics;
using Collab.Storage.Sqlite;

namespace Collab.Storage.Bench;

/// <summary>Measures one row of the table, from when it is made until <see cref="Print"/>.</summary>
internal sealed class Measure(string folder, TimeSpan duration)
{
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly TimeSpan _cpu = Process.GetCurrentProcess().TotalProcessorTime;

    public bool IsRunning => Stopwatch.GetElapsedTime(_started) < duration;

    /// <summary>Prints the row.</summary>
    /// <param name="what">Its name.</param>
    /// <param name="latencies">How long each append took, in milliseconds.</param>
    /// <param name="baseline">The appends a second to compare with.</param>
    /// <returns>The appends a second.</returns>
    public double Print(string what, List<double> latencies, double? baseline)
    {
        var rate = latencies.Count / Stopwatch.GetElapsedTime(_started).TotalSeconds;
        var cpu = (Process.GetCurrentProcess().TotalProcessorTime - _cpu).TotalMicroseconds / latencies.Count;
        latencies.Sort();
        var file = Path.Combine(folder, SqliteDatabase.FileName);
        Console.WriteLine(
            $"{what,-34}{rate,12:N0}{rate / (baseline ?? rate),8:N1}{At(0.5),9:N2}{At(0.99),9:N2}{latencies[^1],9:N1}{cpu,8:N1}"
            + $"{Megabytes(file + "-wal"),8:N1}{Megabytes(file),9:N1}");
        return rate;

        double At(double part) => latencies[(int)(part * (latencies.Count - 1))];
    }

    private static double Megabytes(string file) => File.Exists(file) ? new FileInfo(file).Length / 1048576.0 : 0;
}
