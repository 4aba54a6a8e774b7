using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Collab.Testing;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Tests.Operations;

/// <summary>The numbers of a server's meters are those of what happened.</summary>
public sealed class MetricsTests : IAsyncLifetime
{
    private readonly ConcurrentDictionary<string, double> _sums = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();
    private CollabTestHost _host = null!;

    public async Task InitializeAsync()
    {
        _host = await CollabTestHost.StartAsync();
        var factory = _host.Services.GetRequiredService<IMeterFactory>();
        // Meters of other servers, in other tests, have other factories.
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == factory && instrument.Meter.Name.StartsWith("Collab.", StringComparison.Ordinal))
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Note(instrument, 1, tags));
        _listener.Start();
    }

    public async Task DisposeAsync()
    {
        _listener.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task Connections_are_counted_by_transport()
    {
        await _host.ConnectAsync();
        await _host.ConnectAsync(transport: HttpTransportType.LongPolling);
        await _host.ConnectAsync(transport: HttpTransportType.ServerSentEvents, messagePack: false);
        await using var stream = _host.Follow("/channels/c/events");
        await stream.UntilAsync(self => self.Opened == 1);

        Observe();

        Assert.Equal(1, _sums["collab.connections websockets"]);
        Assert.Equal(1, _sums["collab.connections long_polling"]);
        Assert.Equal(1, _sums["collab.connections server_sent_events"]);
        Assert.Equal(1, _sums["collab.connections event_source"]);
    }

    [Fact]
    public async Task Updates_and_messages_are_counted_as_they_are_committed_acknowledged_and_delivered()
    {
        var (writer, reader) = (await _host.ConnectAsync(), new ChannelClient(await _host.ConnectAsync()));
        await writer.JoinAsync("d");
        await reader.SubscribeAsync("c");
        var typist = new Typist(1);
        for (var i = 0; i < 5; i++)
            await writer.PushAsync("d", typist.Type("a"));
        for (var i = 0; i < 3; i++)
            await new ChannelClient(writer).PublishAsync("c", "n", i);
        await reader.UntilAsync(self => self.Received.Count == 3);

        Observe();

        Assert.Equal((5, 3), (_sums["collab.rooms.entries document"], _sums["collab.rooms.entries channel"]));
        Assert.Equal((5, 3), (_sums["collab.rooms.acknowledgement document"], _sums["collab.rooms.acknowledgement channel"]));
        Assert.Equal((5, 3), (_sums["collab.rooms.commit.entries document"], _sums["collab.rooms.commit.entries channel"]));
        Assert.Equal((1, 1), (_sums["collab.rooms.open document"], _sums["collab.rooms.open channel"]));
        Assert.Equal((0, 0), (_sums["collab.rooms.refused document"], _sums["collab.rooms.refused channel"]));
        Assert.InRange(_sums["collab.fanout.deliveries"], 3, 100);
    }

    [Fact]
    public async Task Deliveries_of_connections_that_have_ended_stay_counted()
    {
        var (writer, reader) = (await _host.ConnectAsync(), await _host.ConnectAsync());
        await writer.JoinAsync("d");
        await reader.JoinAsync("d");
        await writer.PushAsync("d", new Typist(1).Type("a"));
        await reader.UntilAsync(self => !self.Updates.IsEmpty);
        Observe();
        var before = _sums["collab.fanout.deliveries"];

        await reader.Connection.StopAsync();
        await UntilAsync(() => _sums["collab.connections websockets"] == 1);

        Assert.InRange(_sums["collab.fanout.deliveries"], before, double.MaxValue);
    }

    private async Task UntilAsync(Func<bool> condition)
    {
        for (var i = 0; i < 100; i++)
        {
            Observe();
            if (condition())
                return;
            await Task.Delay(50);
        }

        Assert.Fail("It did not come to that.");
    }

    /// <summary>What is only looked at when somebody asks replaces what was seen before; the rest adds up.</summary>
    private void Observe()
    {
        foreach (var key in _sums.Keys.Where(key => key.StartsWith("collab.connections", StringComparison.Ordinal)))
            _sums.TryRemove(key, out _);
        _listener.RecordObservableInstruments();
    }

    private void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var key = tags.Length > 0 ? $"{instrument.Name} {tags[0].Value}" : instrument.Name;
        if (instrument.IsObservable)
            _sums[key] = value;
        else
            _sums.AddOrUpdate(key, value, (_, sum) => sum + value);
    }
}
