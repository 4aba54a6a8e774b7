using Collab.Server;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Redis.Tests.Streams;

/// <summary>What is missing or wrong in the settings is told at the start.</summary>
public sealed class RedisStreamsSettingsTests
{
    [Theory]
    [InlineData("Stream", "", ":Stream must be the key of a Redis stream")]
    [InlineData("MaxLength", "-1", ":MaxLength must be 0 (keep all) or more entries")]
    [InlineData("Connection", "", ":Connection, or else ConnectionStrings:Redis, must be a connection string")]
    [InlineData("Connection", "redis,password=secret,nonsense=secret", ":Connection, or else ConnectionStrings:Redis, must be a connection string")]
    public void A_wrong_setting_of_a_sink_is_told_in_a_sentence(string key, string value, string sentence) => AssertFault(
        "Collab:Events:RedisStreams:0", [("Name", "audit"), ("Connection", "redis"), ("Stream", "events"), (key, value)], sentence);

    [Theory]
    [InlineData("Name", "", ":Name must be a name that this consumer keeps")]
    [InlineData("Stream", "", ":Stream must be the key of a Redis stream")]
    [InlineData("Group", "", ":Group must be the name of a consumer group")]
    [InlineData("DataField", "", ":DataField must be the name of a field")]
    [InlineData("Batch", "1001", ":Batch must be 1 to 1000 entries")]
    [InlineData("PollMilliseconds", "1", ":PollMilliseconds must be 5 to 60000 milliseconds")]
    [InlineData("LeaseSeconds", "0", ":LeaseSeconds must be 1 to 3600 seconds")]
    [InlineData("Connection", "", ":Connection, or else ConnectionStrings:Redis, must be a connection string")]
    public void A_wrong_setting_of_a_consumer_is_told_in_a_sentence(string key, string value, string sentence) => AssertFault(
        "Collab:Consumers:RedisStreams:0", [("Name", "orders"), ("Connection", "redis"), ("Stream", "orders"), ("Channel", "orders"), (key, value)], sentence);

    private static void AssertFault(string section, IEnumerable<(string Key, string Value)> settings, string sentence)
    {
        var configuration = new Dictionary<string, string?>();
        foreach (var (key, value) in settings)
            configuration[$"{section}:{key}"] = value;

        var fault = Assert.Throws<InvalidOperationException>(() => new ServiceCollection().AddCollab().AddRedisStreams(
            new ConfigurationBuilder().AddInMemoryCollection(configuration).Build()));

        Assert.StartsWith(section + sentence, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", fault.Message, StringComparison.Ordinal);
    }
}
