using System.Numerics;

namespace Collab.Load.Statistics;

/// <summary>Counts of durations in buckets at most 1.6 % wide, so that millions a second cost nothing to record.</summary>
internal sealed class Histogram
{
    private const int SubBits = 6;
    private readonly long[] _counts = new long[64 << SubBits];

    public long Count { get; private set; }

    public void Add(long nanoseconds, long times = 1)
    {
        _counts[Bucket(Math.Max(0, nanoseconds))] += times;
        Count += times;
    }

    /// <summary>The duration, in milliseconds, that the given part of all did not exceed; NaN when nothing was recorded.</summary>
    public double Percentile(double part)
    {
        var rank = (long)Math.Ceiling(Count * part);
        for (var i = 0; i < _counts.Length && Count > 0; i++)
        {
            rank -= _counts[i];
            if (rank <= 0)
                return UpperBound(i) / 1e6;
        }

        return double.NaN;
    }

    private static int Bucket(long value)
    {
        if (value < 1 << SubBits)
            return (int)value;
        var shift = BitOperations.Log2((ulong)value) - SubBits;
        return ((shift + 1) << SubBits) + (int)((value >> shift) & ((1 << SubBits) - 1));
    }

    private static double UpperBound(int bucket)
    {
        if (bucket < 1 << SubBits)
            return bucket;
        var shift = (bucket >> SubBits) - 1;
        return (double)((((long)bucket & ((1 << SubBits) - 1)) + (1 << SubBits) + 1) << shift);
    }
}
