using System.Diagnostics.Metrics;

namespace Collab.Server.Channels;

/// <summary>What slow readers cost, for <c>System.Diagnostics.Metrics</c>: meter <c>Collab.Channels</c>.</summary>
internal sealed class ChannelMetrics
{
    public const string MeterName = "Collab.Channels";

    private readonly Counter<long> _sent;
    private readonly Counter<long> _spared;

    public ChannelMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _sent = meter.CreateCounter<long>(
            "collab.channels.slow_readers.messages", "{message}", "Messages that readers got who had fallen behind or read part by part, by mode.");
        _spared = meter.CreateCounter<long>(
            "collab.channels.slow_readers.spared", "{message}", "Messages that such readers were spared: left out (latest), or part of another (coalesce).");
    }

    /// <summary>A slow reader was served.</summary>
    /// <param name="mode">How.</param>
    /// <param name="messages">How many messages he was given.</param>
    /// <param name="offsets">How many there were.</param>
    public void Served(SlowReaders mode, int messages, long offsets)
    {
        var tag = KeyValuePair.Create<string, object?>("mode", mode switch
        {
            SlowReaders.Latest => "latest",
            SlowReaders.Coalesce => "coalesce",
            _ => "recover",
        });
        _sent.Add(messages, tag);
        if (offsets > messages)
            _spared.Add(offsets - messages, tag);
    }
}
