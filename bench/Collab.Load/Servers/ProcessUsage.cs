using System.Globalization;

namespace Collab.Load.Servers;

/// <summary>What a process has used, from <c>/proc</c> (proc(5)).</summary>
/// <param name="CpuSeconds">User and system time of all threads; in steps of 10 ms.</param>
/// <param name="ResidentBytes">Resident memory now (VmRSS).</param>
/// <param name="PeakBytes">The most that was resident (VmHWM).</param>
internal readonly record struct ProcessUsage(double CpuSeconds, long ResidentBytes, long PeakBytes)
{
    private const double TicksPerSecond = 100; // USER_HZ, the same on every Linux that .NET runs on

    /// <summary>What a process and all its children have used.</summary>
    public static ProcessUsage OfTree(int id)
    {
        var usage = Of(id);
        foreach (var thread in Directory.EnumerateDirectories($"/proc/{id}/task"))
        {
            foreach (var child in File.ReadAllText(thread + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
                usage += OfTree(int.Parse(child, CultureInfo.InvariantCulture));
        }

        return usage;
    }

    /// <summary>What a process has used, without its children, of which the servers are some of the generator's.</summary>
    public static ProcessUsage Of(int id)
    {
        var stat = File.ReadAllText($"/proc/{id}/stat");
        // The second field, the name in parentheses, may hold spaces; fields from the third on follow it.
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        var ticks = 0L;
        foreach (var field in fields[11..13]) // utime, stime
            ticks += long.Parse(field, CultureInfo.InvariantCulture);
        var status = File.ReadAllLines($"/proc/{id}/status");
        return new ProcessUsage(ticks / TicksPerSecond, Bytes(status, "VmRSS:"), Bytes(status, "VmHWM:"));
    }

    public static ProcessUsage operator +(ProcessUsage a, ProcessUsage b) =>
        new(a.CpuSeconds + b.CpuSeconds, a.ResidentBytes + b.ResidentBytes, a.PeakBytes + b.PeakBytes);

    private static long Bytes(string[] status, string name)
    {
        var line = Array.Find(status, line => line.StartsWith(name, StringComparison.Ordinal))!;
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2].Trim('\t'), CultureInfo.InvariantCulture);
    }
}
