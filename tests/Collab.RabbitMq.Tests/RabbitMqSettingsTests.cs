using Collab.Server;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.RabbitMq.Tests;

/// <summary>What is missing or wrong in the settings is told at the start.</summary>
public sealed class RabbitMqSettingsTests
{
    [Theory]
    [InlineData("Name", "a b", ":Name must be a name that this receiver of events keeps")]
    [InlineData("Uri", "http://guest:secret@rabbit", ":Uri must be the address of a RabbitMQ")]
    [InlineData("Uri", "secret", ":Uri must be the address of a RabbitMQ")]
    [InlineData("Exchange", "", ":Exchange must name an exchange")]
    [InlineData("RoutingKey", "{subject}.{subject}", ":RoutingKey must be at most 255 characters")]
    [InlineData("Batch", "0", ":Batch must be 1 to 1000 events")]
    [InlineData("Events:0", "documents", ":Events has documents, which is none of")]
    public void A_wrong_setting_of_a_sink_is_told_in_a_sentence(string key, string value, string sentence) => AssertFault(
        "Collab:Events:RabbitMq:0", [("Name", "audit"), ("Uri", "amqp://rabbit"), ("Exchange", "events"), (key, value)], sentence);

    [Theory]
    [InlineData("Name", "", ":Name must be a name that this consumer keeps")]
    [InlineData("Uri", "http://guest:secret@rabbit", ":Uri must be the address of a RabbitMQ")]
    [InlineData("Queue", "", ":Queue must be the name of a queue")]
    [InlineData("Prefetch", "0", ":Prefetch must be 1 to 10000 messages")]
    [InlineData("ChannelField", "channel", " needs Channel (the channel that all messages go to) or ChannelField (the field that names it), and not both")]
    [InlineData("Channel", "", " needs Channel (the channel that all messages go to) or ChannelField")]
    [InlineData("Channel", "not a name", ":Channel must be the name of a channel")]
    [InlineData("Event", "", ":Event must be 1 to 128 characters")]
    [InlineData("IdempotencySeconds", "0", ":IdempotencySeconds must be 1 to 604800 seconds")]
    public void A_wrong_setting_of_a_consumer_is_told_in_a_sentence(string key, string value, string sentence) => AssertFault(
        "Collab:Consumers:RabbitMq:0", [("Name", "orders"), ("Uri", "amqp://rabbit"), ("Queue", "orders"), ("Channel", "orders"), (key, value)], sentence);

    [Fact]
    public void Messages_may_name_no_channel_that_no_pattern_allows() => AssertFault(
        "Collab:Consumers:RabbitMq:0",
        [("Name", "orders"), ("Uri", "amqp://rabbit"), ("Queue", "orders"), ("ChannelField", "channel")],
        ":Channels must list patterns of the channels that messages may name");

    [Fact]
    public void Nothing_is_added_that_is_not_in_the_settings()
    {
        var collab = new ServiceCollection().AddCollab();
        var before = collab.Services.Count;

        collab.AddRabbitMq(new ConfigurationBuilder().Build());

        Assert.Equal(before, collab.Services.Count);
    }

    private static void AssertFault(string section, IEnumerable<(string Key, string Value)> settings, string sentence)
    {
        var configuration = new Dictionary<string, string?>();
        foreach (var (key, value) in settings)
            configuration[$"{section}:{key}"] = value;

        var fault = Assert.Throws<InvalidOperationException>(() => new ServiceCollection().AddCollab().AddRabbitMq(
            new ConfigurationBuilder().AddInMemoryCollection(configuration).Build()));

        Assert.StartsWith(section + sentence, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", fault.Message, StringComparison.Ordinal);
    }
}
