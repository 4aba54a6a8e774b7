using System.Net;
using Collab.Protocol;
using Collab.Server.Rooms;
using Collab.Server.Tests.Channels;
using Collab.Testing;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Tests.Security;

/// <summary>Access can be taken away while tokens still say otherwise: from live connections at once, and from all that come.</summary>
public sealed class RevocationTests
{
    private static readonly string Admin = TestAuthentication.Header("root", """{ "admin": true }""");

    [Theory]
    [InlineData(HttpTransportType.WebSockets)]
    [InlineData(HttpTransportType.ServerSentEvents)]
    [InlineData(HttpTransportType.LongPolling)]
    public async Task A_users_connections_lose_their_documents_and_are_closed(HttpTransportType transport)
    {
        await using var host = await CollabTestHost.StartAsync();
        var ada = await host.ConnectAsync(transport: transport, messagePack: false);
        var ben = await host.ConnectAsync("ben");
        await ada.JoinAsync("d");
        await ben.JoinAsync("d");

        await RevokeAsync(host, """{ "user": "ada" }""");

        await ada.UntilAsync(self => self.IsClosed);
        Assert.Equal([("d", "forbidden")], ada.ClosedDocuments);
        Assert.Contains("forbidden", ada.ClosedBy!.Message, StringComparison.Ordinal);
        await ben.PushAsync("d", new Typist(1).Type("goes on"));
        Assert.Empty(ada.Updates);
    }

    [Fact]
    public async Task Tokens_issued_before_open_nothing_and_those_issued_after_do()
    {
        await using var host = await CollabTestHost.StartAsync();
        await RevokeAsync(host, """{ "user": "ada" }""");
        string[] before =
        [
            TestAuthentication.Header("ada", CollabTestHost.Everything),
            TestAuthentication.Header("ada", CollabTestHost.Everything, issued: DateTimeOffset.UtcNow.AddSeconds(-5)),
        ];

        foreach (var token in before)
        {
            using var negotiated = await host.PostAsync(HubContract.Path + "/negotiate?negotiateVersion=1", "", authorization: token);
            Assert.Equal(HttpStatusCode.Forbidden, negotiated.StatusCode);
            using var published = await host.PostAsync("/channels/c/messages", """{"event":"n"}""", authorization: token);
            Assert.Equal(HttpStatusCode.Forbidden, published.StatusCode);
        }

        var after = await host.ConnectAsync(authorization:
            TestAuthentication.Header("ada", CollabTestHost.Everything, issued: DateTimeOffset.UtcNow.AddSeconds(2)));
        await after.JoinAsync("d");
    }

    [Fact]
    public async Task A_session_is_ended_and_others_of_the_user_go_on()
    {
        await using var host = await CollabTestHost.StartAsync();
        var lost = await host.ConnectAsync(authorization: TestAuthentication.Header("ada", CollabTestHost.Everything, session: "laptop"));
        var kept = await host.ConnectAsync(authorization: TestAuthentication.Header("ada", CollabTestHost.Everything, session: "phone"));

        await RevokeAsync(host, """{ "session": "laptop" }""");

        await lost.UntilAsync(self => self.IsClosed);
        await kept.JoinAsync("d");
        Assert.False(kept.IsClosed);
    }

    [Fact]
    public async Task A_document_is_closed_to_everybody_and_other_documents_go_on()
    {
        await using var host = await CollabTestHost.StartAsync();
        var ada = await host.ConnectAsync();
        var ben = await host.ConnectAsync("ben");
        foreach (var client in (TestClient[])[ada, ben])
        {
            await client.JoinAsync("d");
            await client.JoinAsync("other");
        }

        await RevokeAsync(host, """{ "document": "d" }""");

        foreach (var client in (TestClient[])[ada, ben])
        {
            await client.UntilAsync(self => !self.ClosedDocuments.IsEmpty);
            Assert.Equal([("d", "forbidden")], client.ClosedDocuments);
            Assert.Equal("forbidden", await TestClient.CodeOfAsync(client.JoinAsync("d")));
            await client.SyncAsync("other");
        }
    }

    [Fact]
    public async Task A_user_loses_one_document_and_the_others_keep_it()
    {
        await using var host = await CollabTestHost.StartAsync();
        var ada = await host.ConnectAsync();
        var ben = await host.ConnectAsync("ben");
        await ada.JoinAsync("d");
        await ben.JoinAsync("d");

        await RevokeAsync(host, """{ "user": "ada", "document": "d" }""");

        await ada.UntilAsync(self => !self.ClosedDocuments.IsEmpty);
        await ada.JoinAsync("other");
        await ben.SyncAsync("d");
    }

    [Fact]
    public async Task A_channel_is_closed_over_the_hub_and_over_event_streams_and_polls()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = new ChannelClient(await host.ConnectAsync());
        await client.SubscribeAsync("c");
        await using var stream = host.Follow("/channels/c/events");
        await using var several = host.Follow("/events?channel=c&channel=other");
        await stream.UntilAsync(self => self.Opened == 1 && self.LastId.Length > 0);
        await several.UntilAsync(self => self.Opened == 1 && self.LastId.Length > 0);
        var poll = host.GetAsync($"/channels/c/messages?after={stream.LastId}&wait=20");

        await RevokeAsync(host, """{ "channel": "c" }""");

        await client.UntilAsync(self => !self.Closed.IsEmpty);
        Assert.Equal([("c", "forbidden")], client.Closed);
        await stream.UntilAsync(self => self.EndedBy is not null);
        await several.UntilAsync(self => self.EndedBy is not null);
        var fresh = TestAuthentication.Header("ben", CollabTestHost.Everything, issued: DateTimeOffset.UtcNow.AddSeconds(2));
        await host.PostAsync("/channels/c/messages", """{"event":"secret"}""", authorization: fresh);
        using var refused = await poll;
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.DoesNotContain("secret", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Empty(client.Received);
        Assert.Empty(stream.Events);
    }

    [Fact]
    public async Task It_holds_after_a_restart()
    {
        var log = new InMemoryRoomLog(TimeProvider.System);
        await using (var before = await CollabTestHost.StartAsync(configure: collab => collab.Services.AddSingleton<IRoomLog>(log)))
            await RevokeAsync(before, """{ "user": "ada" }""");
        await using var host = await CollabTestHost.StartAsync(configure: collab => collab.Services.AddSingleton<IRoomLog>(log));

        using var negotiated = await host.PostAsync(HubContract.Path + "/negotiate?negotiateVersion=1", "");

        Assert.Equal(HttpStatusCode.Forbidden, negotiated.StatusCode);
    }

    [Fact]
    public async Task While_it_is_not_known_what_was_revoked_no_room_is_open()
    {
        var log = new GatedRoomLog { IsBroken = true };
        await using var host = await CollabTestHost.StartAsync(configure: collab => collab.Services.AddSingleton<IRoomLog>(log));
        var client = await host.ConnectAsync();
        Assert.Equal("unavailable", await TestClient.CodeOfAsync(client.JoinAsync("d")));
        Assert.Equal("unavailable", await (await host.GetAsync("/channels/c/events")).CodeAsync());

        log.IsBroken = false;

        for (var code = "unavailable"; code != "no error"; code = await TestClient.CodeOfAsync(client.JoinAsync("d")))
            Assert.Equal("unavailable", code);
    }

    [Theory]
    [InlineData("""{ "user": "ada" }""", """[{ "document": "*", "access": ["read", "write", "admin"] }]""", HttpStatusCode.Forbidden)]
    [InlineData("""{ "document": "d" }""", CollabTestHost.Everything, HttpStatusCode.Forbidden)]
    [InlineData("""{ "document": "d" }""", """[{ "document": "d*", "access": ["admin"] }]""", HttpStatusCode.OK)]
    [InlineData("""{ "document": "e" }""", """[{ "document": "d*", "access": ["admin"] }]""", HttpStatusCode.Forbidden)]
    [InlineData("""{ "user": "ada", "document": "d" }""", """[{ "document": "d*", "access": ["admin"] }]""", HttpStatusCode.Forbidden)]
    [InlineData("""{ "user": "ada" }""", """{ "admin": true }""", HttpStatusCode.OK)]
    [InlineData("""{}""", """{ "admin": true }""", HttpStatusCode.BadRequest)]
    [InlineData("""{ "document": "a//b" }""", """{ "admin": true }""", HttpStatusCode.BadRequest)]
    [InlineData("""{ "document": "d", "channel": "c" }""", """{ "admin": true }""", HttpStatusCode.BadRequest)]
    public async Task It_takes_the_right_to_administer_what_is_named(string body, string grants, HttpStatusCode status)
    {
        await using var host = await CollabTestHost.StartAsync();

        using var answer = await host.PostAsync("/admin/revocations", body, grants: grants);

        Assert.Equal(status, answer.StatusCode);
    }

    private static async Task RevokeAsync(CollabTestHost host, string body)
    {
        using var answer = await host.PostAsync("/admin/revocations", body, authorization: Admin);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}
