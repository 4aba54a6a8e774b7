using System.Net;
using Collab.Protocol;
using Collab.Server.Rooms;
using Collab.Server.Security;
using Collab.Testing;

namespace Collab.Server.Tests.Security;

/// <summary>No grant, no access; and read is not write.</summary>
public sealed class AccessTests
{
    [Fact]
    public async Task Without_a_user_there_is_no_connection()
    {
        await using var host = await CollabTestHost.StartAsync();
        using var http = new HttpClient();

        using var answer = await http.PostAsync(new Uri(host.Url + HubContract.Path + "/negotiate?negotiateVersion=1"), null);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("not json")]
    [InlineData("""[{ "document": "acme/*", "access": ["write"] }]""")]
    [InlineData("""[{ "document": "other/*", "access": ["read", "write"] }]""")]
    [InlineData("""[{ "channel": "*", "access": ["read", "write"] }]""")]
    public async Task Without_a_grant_to_read_a_document_cannot_be_joined(string grants)
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = await host.ConnectAsync("ada", grants);

        Assert.Equal("forbidden", await TestClient.CodeOfAsync(client.JoinAsync("acme/plan")));
    }

    [Fact]
    public async Task A_reader_reads_and_shows_his_caret_but_changes_nothing()
    {
        await using var host = await CollabTestHost.StartAsync();
        var writer = await host.ConnectAsync("ada");
        var reader = await host.ConnectAsync("ben", CollabTestHost.ReadEverything);
        await writer.JoinAsync("d");
        var joined = await reader.JoinAsync("d");
        var typist = new Typist(1);

        Assert.Equal("read", joined.Access);
        Assert.Equal("forbidden", await TestClient.CodeOfAsync(reader.PushAsync("d", new Typist(2).Type("x"))));
        await reader.ShowAsync("d", new Crdt.AwarenessState(2, 1, "{}"u8.ToArray()));
        await writer.UntilAsync(client => !client.Awareness.IsEmpty);
        await writer.PushAsync("d", typist.Type("seen"));
        await reader.UntilReadAsync(typist, 4);
    }

    [Theory]
    [InlineData("*", "anything/at/all", true)]
    [InlineData("acme/*", "acme/plan", true)]
    [InlineData("acme/*", "acme", false)]
    [InlineData("acme/*", "acme-2/plan", false)]
    [InlineData("acme/*/public", "acme/a/b/public", true)]
    [InlineData("a*b*c", "a-b-b-c", true)]
    [InlineData("a*b*c", "a-b-b-d", false)]
    [InlineData("plan", "plan", true)]
    [InlineData("plan", "Plan", false)]
    [InlineData("", "plan", false)]
    public void A_star_stands_for_any_run_of_characters(string pattern, string name, bool matches) =>
        Assert.Equal(matches, Grant.Matches(pattern, name));

    [Fact]
    public void An_admin_may_do_everything() =>
        Assert.True(Assert.Single(Grant.Parse("""{ "admin": true }""")).Allows(new RoomKey(RoomKind.Document, "d"), Rights.Write));
}
