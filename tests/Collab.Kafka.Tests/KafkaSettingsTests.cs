using Collab.Server;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Kafka.Tests;

/// <summary>What is missing or wrong in the settings is told at the start.</summary>
public sealed class KafkaSettingsTests
{
    private const string Section = "Collab:Events:Kafka:0";

    [Theory]
    [InlineData("BootstrapServers", "", ":BootstrapServers must name brokers")]
    [InlineData("Topic", "", ":Topic must be the name of a topic")]
    [InlineData("Client:acks", "1", ":Client:acks cannot be set")]
    [InlineData("Client:Enable.Idempotence", "false", ":Client:enable.idempotence cannot be set")]
    [InlineData("Client:no.such.setting", "secret", ":Client must hold settings that librdkafka takes. It says: ")]
    [InlineData("Client:security.protocol", "none", ":Client must hold settings that librdkafka takes. It says: ")]
    public void A_wrong_setting_is_told_in_a_sentence(string key, string value, string sentence)
    {
        var fault = Assert.Throws<InvalidOperationException>(() => new ServiceCollection().AddCollab().AddKafka(ConfigurationOf((key, value))));

        Assert.StartsWith(Section + sentence, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_settings_of_the_client_can_be_given() => new ServiceCollection().AddCollab().AddKafka(ConfigurationOf(
        ("Client:security.protocol", "SASL_SSL"), ("Client:sasl.mechanism", "PLAIN"), ("Client:sasl.username", "collab"), ("Client:sasl.password", "secret")));

    private static IConfiguration ConfigurationOf(params (string Key, string Value)[] settings)
    {
        var configuration = new Dictionary<string, string?>();
        foreach (var (key, value) in ((string, string)[])[("Name", "audit"), ("BootstrapServers", "kafka:9092"), ("Topic", "events"), .. settings])
            configuration[$"{Section}:{key}"] = value;
        return new ConfigurationBuilder().AddInMemoryCollection(configuration).Build();
    }
}
