using System.Text;
using Collab.Crdt;
using Collab.Testing;
using Microsoft.AspNetCore.Http.Connections;

namespace Collab.Server.Tests.Documents;

/// <summary>Who is present in a document, and what they show.</summary>
public sealed class AwarenessTests
{
    [Fact]
    public async Task What_one_shows_the_others_see_and_those_who_join_later_too()
    {
        await using var host = await CollabTestHost.StartAsync();
        var ada = await host.ConnectAsync("ada");
        var ben = await host.ConnectAsync("ben");
        await ada.JoinAsync("d");
        await ben.JoinAsync("d");

        await ada.ShowAsync("d", State(1, 1, """{"name":"Ada"}"""));

        await ben.UntilAsync(client => !client.Awareness.IsEmpty);
        var late = await (await host.ConnectAsync("cleo")).JoinAsync("d");
        Assert.Equal("""{"name":"Ada"}""", Text(Assert.Single(AwarenessUpdate.Decode(late.Awareness))));
        Assert.Empty(ada.Awareness);
    }

    [Theory]
    [InlineData(HttpTransportType.WebSockets)]
    [InlineData(HttpTransportType.ServerSentEvents)]
    [InlineData(HttpTransportType.LongPolling)]
    public async Task Who_disconnects_is_gone_for_the_others(HttpTransportType transport)
    {
        await using var host = await CollabTestHost.StartAsync();
        var ada = await host.ConnectAsync("ada", transport: transport, messagePack: false);
        var ben = await host.ConnectAsync("ben");
        await ada.JoinAsync("d");
        await ben.JoinAsync("d");
        await ada.ShowAsync("d", State(1, 5, "{}"));

        await ada.Connection.StopAsync();

        await ben.UntilAsync(client => client.Awareness.Any(news => AwarenessUpdate.Decode(news.Awareness).Any(state => state is { ClientId: 1, Clock: 5, IsNull: true })));
        Assert.Empty(AwarenessUpdate.Decode((await ben.JoinAsync("d")).Awareness));
    }

    [Fact]
    public async Task A_client_that_comes_back_over_a_new_connection_stays_when_the_old_one_ends()
    {
        await using var host = await CollabTestHost.StartAsync();
        var old = await host.ConnectAsync("ada");
        var renewed = await host.ConnectAsync("ada");
        await old.JoinAsync("d");
        await renewed.JoinAsync("d");
        await old.ShowAsync("d", State(1, 1, "{}"));
        await renewed.ShowAsync("d", State(1, 2, "{}"));

        await old.LeaveAsync("d");

        Assert.Equal(2ul, Assert.Single(AwarenessUpdate.Decode((await renewed.JoinAsync("d")).Awareness)).Clock);
    }

    [Fact]
    public async Task A_state_that_is_not_renewed_expires()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Documents:AwarenessTimeoutMilliseconds", "1000")]);
        var ada = await host.ConnectAsync("ada");
        var ben = await host.ConnectAsync("ben");
        await ada.JoinAsync("d");
        await ben.JoinAsync("d");

        await ada.ShowAsync("d", State(1, 1, "{}"));

        await ben.UntilAsync(client => client.Awareness.Any(news => AwarenessUpdate.Decode(news.Awareness).Any(state => state.IsNull)));
    }

    [Fact]
    public async Task Nobody_can_remove_somebody_else()
    {
        await using var host = await CollabTestHost.StartAsync();
        var ada = await host.ConnectAsync("ada");
        var mallory = await host.ConnectAsync("mallory");
        await ada.JoinAsync("d");
        await mallory.JoinAsync("d");
        await ada.ShowAsync("d", State(1, 1, "{}"));

        await mallory.ShowAsync("d", State(1, 9, "null"));

        Assert.Single(AwarenessUpdate.Decode((await mallory.JoinAsync("d")).Awareness));
    }

    [Fact]
    public async Task An_older_state_does_not_replace_a_newer_one()
    {
        await using var host = await CollabTestHost.StartAsync();
        var ada = await host.ConnectAsync("ada");
        await ada.JoinAsync("d");
        await ada.ShowAsync("d", State(1, 3, """{"n":3}"""));
        await ada.ShowAsync("d", State(1, 2, """{"n":2}"""));

        Assert.Equal("""{"n":3}""", Text(Assert.Single(AwarenessUpdate.Decode((await ada.JoinAsync("d")).Awareness))));
    }

    private static AwarenessState State(ulong client, ulong clock, string json) => new(client, clock, Encoding.UTF8.GetBytes(json));

    private static string Text(AwarenessState state) => Encoding.UTF8.GetString(state.Json.Span);
}
