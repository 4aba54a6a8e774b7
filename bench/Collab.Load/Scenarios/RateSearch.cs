namespace Collab.Load.Scenarios;

/// <summary>Looks for the highest rate that a server carries.</summary>
internal static class RateSearch
{
    private const int Refinements = 2;

    /// <summary>Doubles the rate until it is not carried, and then halves the gap, by ratio.</summary>
    /// <param name="server">Its name, for the progress.</param>
    /// <param name="carried">A rate that is taken for carried, in messages a second.</param>
    /// <param name="max">Nothing higher than twice this is tried.</param>
    /// <param name="attempt">Measures a rate.</param>
    /// <returns>The highest rate that was carried, and what was measured then; null when none was.</returns>
    public static (double Rate, TrafficResult Result)? Highest(string server, double carried, double max, Func<double, TrafficResult> attempt)
    {
        var refused = double.PositiveInfinity;
        (double, TrafficResult)? best = null;
        for (var step = 0; step < Refinements && carried < max;)
        {
            var isDoubling = double.IsPositiveInfinity(refused);
            var rate = isDoubling ? carried * 2 : Math.Sqrt(carried * refused);
            var result = attempt(rate);
            Console.Error.WriteLine(
                $"  {server}: {rate:0}/s {(result.IsCarried ? "carried" : "not carried")}: sent {result.Sent:0}/s, p99 {result.DeliveryP99:0} ms, "
                + $"lost {result.Lost}, server {result.ServerCpu:0} %, generator {result.GeneratorCpu:0} % {result.Fault}");
            if (!isDoubling)
                step++;
            if (result.IsCarried)
                (carried, best) = (rate, (rate, result));
            else
                refused = rate;
        }

        return best;
    }
}
