using Collab.Protocol;

namespace Collab.Host.Tests.Channels;

/// <summary>
/// The promise of channels, for each way of reading, of one <see cref="DeliveryRun"/>: whatever happens in between, a reader ends with
/// each message once and in order.
/// </summary>
public sealed class DeliveryConformance(DeliveryRun run) : IClassFixture<DeliveryRun>
{
    public static TheoryData<string> Ways => new(DeliveryRun.Ways);

    [Theory, MemberData(nameof(Ways))]
    public void Every_reader_has_each_message_once_and_in_order(string way)
    {
        var reader = run.Reader(way);
        Assert.False(reader.WasToldOfLoss);
        Assert.Equal(Enumerable.Range(1, DeliveryRun.Total).Select(offset => (long)offset), reader.Messages.Select(message => message.Offset));
        Assert.Equal(DeliveryRun.Total, reader.Messages.Select(message => message.Data).Distinct().Count());
        // A poll that was cut off, its client or a proxy may have repeated by itself.
        Assert.True(reader is PollReader || reader.Connects > 1, "he must have been cut off at least once");
    }

    [Theory, MemberData(nameof(Ways))]
    public void What_was_acknowledged_is_where_it_was_said_to_be(string way)
    {
        var read = run.Reader(way).Messages.ToDictionary(message => message.Data, message => message.Offset);
        Assert.Equal(DeliveryRun.Total, run.Acknowledged.Count);
        Assert.All(run.Acknowledged, message =>
        {
            Assert.True(Position.TryParse(message.Value, out var position));
            Assert.Equal(position.Offset, read[message.Key]);
        });
    }

    [Theory, MemberData(nameof(Ways))]
    public void Messages_of_one_publisher_are_in_the_order_in_which_he_published(string way)
    {
        foreach (var ofOne in run.Reader(way).Messages.Select(message => message.Data.Split('-').Select(int.Parse).ToArray()).GroupBy(key => key[0]))
            Assert.Equal(Enumerable.Range(0, DeliveryRun.PerPublisher), ofOne.Select(key => key[1]));
    }

    [Theory, MemberData(nameof(Ways))]
    public void A_proxy_that_drops_silent_connections_drops_none(string way) => Assert.Equal(0, run.ConnectsWhileSilent(way));
}
