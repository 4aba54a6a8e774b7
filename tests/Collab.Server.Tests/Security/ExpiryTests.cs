using System.Net;
using Collab.Protocol;
using Collab.Testing;
using Microsoft.AspNetCore.Http.Connections;

namespace Collab.Server.Tests.Security;

/// <summary>A connection lasts as long as its user's token, or as the token that he renews it with.</summary>
public sealed class ExpiryTests
{
    private const string MayWrite = """[{ "document": "*", "access": ["read", "write"] }]""";
    private const string MaySubscribe = """[{ "channel": "c", "access": ["subscribe"] }]""";

    [Theory]
    [InlineData(HttpTransportType.WebSockets)]
    [InlineData(HttpTransportType.ServerSentEvents)]
    [InlineData(HttpTransportType.LongPolling)]
    public async Task It_is_closed_when_the_token_expires(HttpTransportType transport)
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = await host.ConnectAsync(transport: transport, messagePack: false, authorization: Token(seconds: 2));
        await client.JoinAsync("d");

        await client.UntilAsync(self => self.IsClosed);

        Assert.Contains("expired", client.ClosedBy!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpTransportType.WebSockets)]
    [InlineData(HttpTransportType.ServerSentEvents)]
    [InlineData(HttpTransportType.LongPolling)]
    public async Task Renewed_it_goes_on(HttpTransportType transport)
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = await host.ConnectAsync(transport: transport, messagePack: false, authorization: Token(seconds: 3));
        await client.JoinAsync("d");

        // What a client sends in its header is fixed here, so over the other transports only this request has the new token.
        using var renewed = await RefreshAsync(host, client, Token(seconds: 60));
        Assert.InRange((await renewed.JsonAsync()).GetProperty("tokenLifetimeSeconds").GetInt64(), 50, 60);
        if (transport is not HttpTransportType.WebSockets)
            return;
        await Task.Delay(TimeSpan.FromSeconds(4.5));

        await client.PushAsync("d", new Typist(1).Type("still here"));
    }

    [Fact]
    public async Task Negotiation_says_how_long_the_token_is_good_for()
    {
        await using var host = await CollabTestHost.StartAsync();

        using var expiring = await host.PostAsync(HubContract.Path + "/negotiate?negotiateVersion=1", "", authorization: Token(seconds: 60));
        using var lasting = await host.PostAsync(HubContract.Path + "/negotiate?negotiateVersion=1", "");

        Assert.InRange((await expiring.JsonAsync()).GetProperty("tokenLifetimeSeconds").GetInt64(), 50, 60);
        Assert.False((await lasting.JsonAsync()).TryGetProperty("tokenLifetimeSeconds", out _));
    }

    [Fact]
    public async Task A_connection_without_negotiation_is_renewed_by_its_session()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = await host.ConnectAsync(grants: CollabTestHost.ReadEverything, session: "s");
        await client.JoinAsync("d");
        var refresh = HubContract.Path + "/refresh?session=s";

        using var others = await host.PostAsync(refresh, "", authorization: TestAuthentication.Header("mallory", MayWrite));
        Assert.Equal("not_found", await others.CodeAsync());
        using var own = await host.PostAsync(refresh, "", authorization: Token(grants: MayWrite));
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);

        await client.PushAsync("d", new Typist(1).Type("now"));
    }

    [Fact]
    public async Task A_wider_token_allows_more_at_once()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = await host.ConnectAsync(grants: CollabTestHost.ReadEverything);
        Assert.Equal("read", (await client.JoinAsync("d")).Access);

        await RefreshAsync(host, client, Token(grants: MayWrite));

        await client.PushAsync("d", new Typist(1).Type("now"));
    }

    [Fact]
    public async Task A_narrower_token_allows_less_at_once()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = await host.ConnectAsync();
        await client.JoinAsync("d");

        await RefreshAsync(host, client, Token(grants: CollabTestHost.ReadEverything));

        Assert.Equal("forbidden", await TestClient.CodeOfAsync(client.PushAsync("d", new Typist(1).Type("x"))));
        Assert.Empty(client.ClosedDocuments);
        await client.SyncAsync("d");
    }

    [Fact]
    public async Task What_the_new_token_does_not_open_is_closed()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = await host.ConnectAsync();
        var channels = new ChannelClient(client);
        await client.JoinAsync("d");
        await channels.SubscribeAsync("c", presence: "here");
        await channels.SubscribeAsync("other");

        await RefreshAsync(host, client, Token(grants: MaySubscribe));

        await channels.UntilAsync(self => !self.Closed.IsEmpty && !client.ClosedDocuments.IsEmpty);
        Assert.Equal([("other", "forbidden")], channels.Closed);
        Assert.Equal([("d", "forbidden")], client.ClosedDocuments);
        Assert.Equal("not_joined", await TestClient.CodeOfAsync(client.SyncAsync("d")));
        var watcher = new ChannelClient(await host.ConnectAsync("ben"));
        Assert.Empty(await watcher.MembersAsync("c"));
        await watcher.PublishAsync("other", "n", 1);
        await watcher.PublishAsync("c", "n", 2);
        await channels.UntilAsync(self => !self.Received.IsEmpty);
        Assert.Equal(["2"], channels.Data);
    }

    [Fact]
    public async Task An_event_stream_ends_with_its_token()
    {
        await using var host = await CollabTestHost.StartAsync();
        await using var stream = new EventSourceReader(() => host.Url + "/channels/c/events", Token(seconds: 2));

        await stream.UntilAsync(self => self.EndedBy is not null);

        Assert.Equal(HttpStatusCode.Unauthorized, stream.EndedBy);
        Assert.Equal(1, stream.Opened);
    }

    private static Task<HttpResponseMessage> RefreshAsync(CollabTestHost host, TestClient client, string token) =>
        host.PostAsync($"{HubContract.Path}/refresh?id={Uri.EscapeDataString(client.Token!)}", "", authorization: token);

    private static string Token(int? seconds = null, string grants = CollabTestHost.Everything) =>
        TestAuthentication.Header("ada", grants, seconds is { } lifetime ? DateTimeOffset.UtcNow.AddSeconds(lifetime) : null);
}
