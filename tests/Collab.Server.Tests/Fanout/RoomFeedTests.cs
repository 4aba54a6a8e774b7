using Collab.Protocol;
using Microsoft.Extensions.Logging.Abstractions;

namespace Collab.Server.Fanout;

/// <summary>What the members on a node are told of a room's log, and in how many messages.</summary>
public sealed class RoomFeedTests
{
    private readonly List<string> _sent = [];

    [Fact]
    public async Task What_comes_before_its_turn_waits_for_what_goes_before_it()
    {
        var feed = Feed(TimeSpan.Zero);

        await feed.OfferAsync(new Frame(1, 2), gather: true);
        Assert.Empty(_sent);
        await feed.OfferAsync(new Frame(0, 1), gather: true);

        Assert.Equal(["0-1 1-2"], _sent);
    }

    [Fact]
    public async Task What_comes_from_elsewhere_right_after_something_was_sent_goes_out_with_what_is_committed_here()
    {
        var feed = Feed(TimeSpan.FromMinutes(1));

        await feed.OfferAsync(new Frame(0, 1));
        await feed.OfferAsync(new Frame(1, 2), gather: true);
        await feed.OfferAsync(new Frame(2, 4), gather: true);
        await feed.OfferAsync(new Frame(4, 5));

        Assert.Equal(["0-1", "1-2 2-4 4-5"], _sent);
    }

    [Fact]
    public async Task What_comes_from_elsewhere_waits_no_longer_than_a_beat()
    {
        var feed = Feed(TimeSpan.FromMilliseconds(50));

        await feed.OfferAsync(new Frame(0, 1), gather: true);
        await feed.OfferAsync(new Frame(1, 2), gather: true);
        await feed.OfferAsync(new Frame(2, 3), gather: true);

        Assert.Equal(["0-1"], _sent);
        await Task.Delay(300);
        Assert.Equal(["0-1", "1-2 2-3"], _sent);
    }

    [Fact]
    public async Task What_does_not_come_is_read_from_the_log()
    {
        var feed = Feed(TimeSpan.Zero, after => after == 1 ? new Frame(1, 4) : null);

        await feed.OfferAsync(new Frame(0, 1));
        await feed.OfferAsync(new Frame(4, 5), gather: true);

        for (var tries = 0; _sent.Count < 2 && tries < 100; tries++)
            await Task.Delay(20);
        Assert.Equal(["0-1", "1-4 4-5"], _sent);
    }

    private RoomFeed<Frame> Feed(TimeSpan beat, Func<long, Frame?>? read = null)
    {
        var feed = new RoomFeed<Frame>(
            frames =>
            {
                _sent.Add(string.Join(' ', frames));
                return Task.CompletedTask;
            },
            after => Task.FromResult(read?.Invoke(after)),
            beat,
            NullLogger.Instance);
        feed.Begin(new Position("e", 0));
        return feed;
    }

    private sealed record Frame(long After, long Through) : IFeedFrame<Frame>
    {
        public string Epoch => "e";

        public Frame Beyond(long offset) => this with { After = offset };

        public override string ToString() => $"{After}-{Through}";
    }
}
