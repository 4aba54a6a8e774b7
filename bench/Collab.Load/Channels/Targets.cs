using System.Text;
using Collab.Load.Statistics;

namespace Collab.Load.Channels;

/// <summary>What channels are to reach beside their peers, and whether they do.</summary>
internal static class Targets
{
    public const string Efficiency = "deliveries/CPU s";

    private const string P99 = "delivery p99 ms";
    private const string Memory = "KB/reader";

    /// <summary>One line for each target that was measured.</summary>
    public static string ToMarkdown(Report report)
    {
        var text = new StringBuilder("\n### Targets\n\n| target | ours | theirs | ratio | bound | |\n| --- | --- | --- | --- | --- | --- |\n");
        foreach (var ours in (Contender[])[Contender.Json, Contender.MessagePack])
        {
            AtLeast(ChannelsRun.Equal, ours, Contender.SocketIo, 1);
            AtLeast(ChannelsRun.Highest, ours, Contender.SocketIo, 3);
        }

        AtLeast(ChannelsRun.Equal, Contender.LongPolls, Contender.SocketIoPolls, 1);
        AtLeast(ChannelsRun.Highest, Contender.LongPolls, Contender.SocketIoPolls, 3);
        AtLeast(ChannelsRun.Equal, Contender.HubPolls, Contender.SocketIoPolls, 1);
        AtLeast(ChannelsRun.Highest, Contender.HubPolls, Contender.SocketIoPolls, 3);
        foreach (var scenario in (string[])[ChannelsRun.Equal, ChannelsRun.Highest])
        {
            AtLeast(scenario, Contender.Json, Contender.BareJson, 0.8);
            AtLeast(scenario, Contender.MessagePack, Contender.BareMessagePack, 0.8);
            AtLeast(scenario, Contender.HubPolls, Contender.BarePolls, 0.8);
            AtLeast(scenario, Contender.EventSource, Contender.Json, 1);
        }

        foreach (var ours in Contender.All.Where(static contender => contender.Server == Contender.Json.Server))
            Line($"{ChannelsRun.Half}: {ours}, p99 ms under", report.MedianOf(ChannelsRun.Half, ours.Name, P99), double.NaN, 50, static (p99, _, bound) => p99 < bound);
        // No bound is set for the memory of a reader: it is shown.
        foreach (var contender in Contender.All)
            Line($"{ChannelsRun.Idle}: {contender}, KB", report.MedianOf(ChannelsRun.Idle, contender.Name, Memory), double.NaN, double.NaN, null);
        Line($"{ChannelsRun.ManyPolls}: resident MB", report.MedianOf(ChannelsRun.ManyPolls, Contender.LongPolls.Name, "resident MB"), double.NaN, double.NaN, null);
        return text.ToString();

        void AtLeast(string scenario, Contender ours, Contender theirs, double bound)
        {
            var (mine, other) = (report.MedianOf(scenario, ours.Name, Efficiency), report.MedianOf(scenario, theirs.Name, Efficiency));
            if (!double.IsNaN(other))
                Line($"{scenario}: {ours} / {theirs}, {Efficiency}", mine, other, bound, static (mine, other, least) => mine / other >= least);
        }

        void Line(string what, double mine, double other, double bound, Func<double, double, double, bool>? isMet)
        {
            if (double.IsNaN(mine))
                return;
            var verdict = isMet is null ? "" : isMet(mine, other, bound) ? "PASS" : "FAIL";
            text.Append("| ").AppendJoin(" | ", what, Report.Format(mine), Report.Format(other), Report.Format(mine / other), Report.Format(bound), verdict).AppendLine(" |");
        }
    }
}
