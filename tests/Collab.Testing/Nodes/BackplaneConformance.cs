using System.Collections.Concurrent;
using Collab.Server.Nodes;
using Xunit;

namespace Collab.Testing.Nodes;

/// <summary>What every <see cref="IBackplane"/> must do. A provider inherits it and says how nodes are connected.</summary>
public abstract class BackplaneConformance
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Makes the backplane of one more node of the same service, and waits until it is connected.</summary>
    protected abstract Task<IBackplane> ConnectAsync();

    [Fact]
    public async Task What_is_said_to_a_group_reaches_the_nodes_that_have_joined_it()
    {
        var (a, b, c) = (new Node(await ConnectAsync()), new Node(await ConnectAsync()), new Node(await ConnectAsync()));
        await a.Backplane.JoinAsync("document:x/y");
        await b.Backplane.JoinAsync("document:x/y");
        await c.Backplane.JoinAsync("document:x");

        a.Backplane.Publish("document:x/y", new byte[] { 0, 1, 255 });
        a.Backplane.Publish("document:x", new byte[] { 7 });

        Assert.Equal(("document:x/y", "0001FF"), await b.NextAsync());
        Assert.Equal(("document:x", "07"), await c.NextAsync());
        Assert.Empty(b.Heard);
        Assert.Empty(c.Heard);
    }

    [Fact]
    public async Task Messages_of_a_node_to_a_group_come_in_order_and_whole()
    {
        var (a, b) = (new Node(await ConnectAsync()), new Node(await ConnectAsync()));
        await b.Backplane.JoinAsync("g");
        var messages = Enumerable.Range(0, 500).Select(i => Enumerable.Repeat((byte)i, 1 + i * 7 % 2_000).ToArray()).ToArray();

        foreach (var message in messages)
            a.Backplane.Publish("g", message);

        foreach (var message in messages)
            Assert.Equal(("g", Convert.ToHexString(message)), await b.NextAsync());
    }

    [Fact]
    public async Task Who_has_left_a_group_hears_nothing_of_it_and_can_join_it_again()
    {
        var (a, b) = (new Node(await ConnectAsync()), new Node(await ConnectAsync()));
        await b.Backplane.JoinAsync("left");
        await b.Backplane.JoinAsync("kept");
        await b.Backplane.LeaveAsync("left");

        a.Backplane.Publish("left", new byte[] { 1 });
        a.Backplane.Publish("kept", new byte[] { 2 });
        Assert.Equal(("kept", "02"), await b.NextAsync());

        await b.Backplane.JoinAsync("left");
        a.Backplane.Publish("left", new byte[] { 3 });
        Assert.Equal(("left", "03"), await b.NextAsync());
    }

    [Fact]
    public async Task It_says_that_there_may_be_others() => Assert.True(new Node(await ConnectAsync()).Backplane.IsShared);

    private sealed class Node
    {
        private readonly SemaphoreSlim _news = new(0);

        public Node(IBackplane backplane)
        {
            Backplane = backplane;
            backplane.Start(
                (group, message) =>
                {
                    Heard.Enqueue((group, Convert.ToHexString(message.Span)));
                    _news.Release();
                },
                () => { });
        }

        public IBackplane Backplane { get; }

        public ConcurrentQueue<(string Group, string Message)> Heard { get; } = new();

        public async Task<(string Group, string Message)> NextAsync()
        {
            Assert.True(await _news.WaitAsync(Patience), "nothing was heard");
            Assert.True(Heard.TryDequeue(out var message));
            return message;
        }
    }
}
