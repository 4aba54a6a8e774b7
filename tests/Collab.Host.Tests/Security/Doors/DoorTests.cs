using System.Net;
using System.Reflection;
using System.Text.Json;
using Collab.Protocol;
using Collab.Testing;
using Microsoft.AspNetCore.Http.Connections;
using Xunit.Abstractions;

namespace Collab.Host.Tests.Security.Doors;

/// <summary>
/// Every door, every credential, every transport: who may is let through, who may not is refused as he should be, and then nothing has
/// changed.
/// </summary>
public sealed class DoorTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const string Owner =
        """[{ "document": "door/*", "access": ["read", "write"] }, { "channel": "door/*", "access": ["subscribe", "publish", "presence"] }]""";

    private static readonly (HttpTransportType Transport, bool MessagePack)[] Transports =
    [
        (HttpTransportType.WebSockets, true), (HttpTransportType.WebSockets, false), (HttpTransportType.ServerSentEvents, false),
        (HttpTransportType.LongPolling, true), (HttpTransportType.LongPolling, false),
    ];

    // Who is refused because he comes too often is refused for another reason.
    private static readonly (string, string)[] Unlimited = [("Collab__Limits__ConnectionsPerUser", "0"), ("Collab__Limits__RequestsPerSecond", "0")];

    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _http = new();
    private HostProcess _host = null!;
    private TestClient _owner = null!;

    public async Task InitializeAsync()
    {
        _host = await HostProcess.Launch(_folder.Path, environment: null, settings: [.. Tokens.Settings, .. Unlimited]).ReadyAsync();
        _owner = await _host.ConnectAsync(Tokens.Of(Owner, "owner"));
        await _owner.JoinAsync(Credential.Room);
        await _owner.PushAsync(Credential.Room, new Typist(1).Type("the owner's"));
        var channels = new ChannelClient(_owner);
        await channels.SubscribeAsync(Credential.Room, presence: true);
        await channels.PublishAsync(Credential.Room, "e", "the owner's");
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        _http.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Every_door_lets_through_who_may_and_nobody_else_over_every_transport()
    {
        var tried = 0;
        var before = await StateAsync();
        foreach (var credential in Credential.Table.Where(credential => credential.Right < Right.All))
        {
            tried += await TryAllAsync(credential);
            Assert.Equal(before, await StateAsync());
        }

        tried += await TryAllAsync(Credential.Table.Single(credential => credential.Right is Right.All));

        output.WriteLine($"{tried} combinations of {HttpDoor.Table.Count + HubDoor.Table.Count} doors, {Credential.Table.Count} credentials and {Transports.Length} transports of the hub");
        Assert.NotEqual(before, await StateAsync());
        Assert.Equal(Credential.Table.Count * (HttpDoor.Table.Count + HubDoor.Table.Count * Transports.Length), tried);
    }

    [Fact]
    public async Task Every_door_is_in_the_table()
    {
        var methods = typeof(Collab.Server.CollabEndpointRouteBuilderExtensions).Assembly.GetType("Collab.Server.CollabHub", throwOnError: true)!
            .GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(method => method.GetBaseDefinition() == method).Select(method => method.Name);
        Assert.Equal(methods.Order(), HubDoor.Table.Select(door => door.Method).Order());

        using var description = JsonDocument.Parse(await _http.GetStringAsync(new Uri(_host.Url + "/openapi/v1.json")));
        var routes = description.RootElement.GetProperty("paths").EnumerateObject()
            .Where(path => !path.Name.StartsWith("/health/", StringComparison.Ordinal))
            .SelectMany(path => path.Value.EnumerateObject().Select(operation => $"{operation.Name.ToUpperInvariant()} {path.Name}"));
        Assert.Empty(routes.Except(HttpDoor.Table.Select(door => $"{door}")));
    }

    private async Task<int> TryAllAsync(Credential credential)
    {
        var tried = 0;
        foreach (var door in HttpDoor.Table)
        {
            AssertIsRight($"{door}", door.Needs, credential, await door.TryAsync(_http, _host.Url, credential));
            tried++;
        }

        foreach (var (transport, messagePack) in Transports)
        {
            foreach (var door in HubDoor.Table)
            {
                AssertIsRight($"{door} over {transport}", door.Needs, credential, await TryAsync(door, credential, transport, messagePack));
                tried++;
            }
        }

        return tried;
    }

    private async Task<Outcome> TryAsync(HubDoor door, Credential credential, HttpTransportType transport, bool messagePack)
    {
        await using var client = TestClient.Create(_host.Url, credential.Authorization, transport, messagePack);
        try
        {
            await client.Connection.StartAsync();
        }
        catch (HttpRequestException refused) when (refused.StatusCode is HttpStatusCode.Unauthorized)
        {
            return Outcome.Unknown;
        }

        return await door.TryAsync(client);
    }

    private static void AssertIsRight(string door, Right needs, Credential credential, Outcome outcome)
    {
        var expected = credential.Right is Right.Nobody ? Outcome.Unknown : credential.Right >= needs ? Outcome.Let : Outcome.Forbidden;
        Assert.True(expected == outcome, $"{door} with {credential.Name}: {outcome}, not {expected}");
    }

    /// <summary>All that a caller could have changed: the document, the channel's messages and members.</summary>
    private async Task<string> StateAsync()
    {
        var channels = new ChannelClient(_owner);
        var document = await _owner.SyncAsync(Credential.Room);
        var history = await channels.HistoryAsync(Credential.Room);
        var members = await channels.MembersAsync(Credential.Room);
        return $"{document.Position} {Convert.ToHexString(document.Update)} {history.Position} {history.Messages.Count} {string.Join(',', members.Select(member => member.UserId))}";
    }
}
