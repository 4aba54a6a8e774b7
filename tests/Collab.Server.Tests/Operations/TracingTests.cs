using System.Collections.Concurrent;
using System.Diagnostics;
using Collab.Server.Rooms;
using Collab.Testing;
using Collab.Testing.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Tests.Operations;

/// <summary>A trace goes from the hub call over the commit to the delivery on another node.</summary>
public sealed class TracingTests : IAsyncLifetime
{
    private readonly InMemoryNodes _nodes = new();
    private readonly ConcurrentQueue<Activity> _activities = new();
    private readonly ActivityListener _listener;
    private CollabTestHost _a = null!;
    private CollabTestHost _b = null!;

    public TracingTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name is "Collab" or "Microsoft.AspNetCore.SignalR.Server",
            Sample = static (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = _activities.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public async Task InitializeAsync() => (_a, _b) = (await _nodes.StartAsync(), await _nodes.StartAsync());

    public async Task DisposeAsync()
    {
        _listener.Dispose();
        await _nodes.DisposeAsync();
    }

    [Fact]
    public async Task From_the_call_over_the_commit_to_the_delivery_on_another_node()
    {
        var (ada, ben) = (await _a.ConnectAsync("ada"), await _b.ConnectAsync("ben"));
        await ada.JoinAsync("traced");
        await ben.JoinAsync("traced");
        await ada.PushAsync("traced", new Typist(1).Type("hello"));
        await ben.UntilReadAsync(new Typist(1), 5);

        var (call, commit, delivery) = await UntilTracedAsync();

        Assert.Equal(call.SpanId, commit.ParentSpanId);
        Assert.Equal(commit.SpanId, delivery.ParentSpanId);
        Assert.Equal(("document", 1), (commit.GetTagItem("collab.room.kind"), commit.GetTagItem("collab.entries")));
    }

    private async Task<(Activity Call, Activity Commit, Activity Delivery)> UntilTracedAsync()
    {
        for (var i = 0; i < 100; i++)
        {
            foreach (var call in _activities.Where(activity => activity.OperationName.Contains("InvocationIn", StringComparison.Ordinal)))
            {
                // Other tests may be traced too.
                var trace = _activities.Where(activity => activity.TraceId == call.TraceId).ToArray();
                if (call.DisplayName.EndsWith("PushUpdate", StringComparison.Ordinal)
                    && Array.Find(trace, activity => activity.OperationName == "commit") is { } commit
                    && Array.Find(trace, activity => activity.OperationName == "deliver") is { } delivery)
                {
                    return (call, commit, delivery);
                }
            }

            await Task.Delay(50);
        }

        throw new TimeoutException(string.Join('\n', _activities.Select(activity => $"{activity.OperationName} {activity.DisplayName} {activity.TraceId}")));
    }
}
