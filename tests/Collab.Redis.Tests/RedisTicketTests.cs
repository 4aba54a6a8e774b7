using System.Net;
using Collab.Server;
using Collab.Testing;
using Collab.Testing.Servers;

namespace Collab.Redis.Tests;

/// <summary>Tickets that one node issues and another takes.</summary>
public sealed class RedisTicketTests : IAsyncLifetime
{
    internal const string Path = "/channels/c/messages";

    private RedisServer _redis = null!;
    private CollabTestHost _a = null!;
    private CollabTestHost _b = null!;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        (_a, _b) = (await StartAsync(), await StartAsync());
    }

    public async Task DisposeAsync()
    {
        await _a.DisposeAsync();
        await _b.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task A_ticket_of_one_node_opens_the_other_once()
    {
        var ticket = await _a.TicketAsync(Path);

        Assert.Equal(HttpStatusCode.OK, await UseAsync(_b, ticket));
        Assert.Equal(HttpStatusCode.Unauthorized, await UseAsync(_b, ticket));
        Assert.Equal(HttpStatusCode.Unauthorized, await UseAsync(_a, ticket));
    }

    [Fact]
    public async Task Of_many_who_use_it_at_the_same_time_one_is_let_in()
    {
        var ticket = await _a.TicketAsync(Path);

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => UseAsync(i % 2 == 0 ? _a : _b, ticket)));

        Assert.Equal(1, answers.Count(status => status is HttpStatusCode.OK));
    }

    [Fact]
    public async Task While_Redis_is_away_tickets_are_neither_sold_nor_taken_and_the_caller_may_try_again()
    {
        var ticket = await _a.TicketAsync(Path);
        await _redis.KillAsync();

        using var sold = await _a.PostAsync("/tickets", $$"""{ "path": "{{Path}}" }""");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "unavailable"), (sold.StatusCode, await sold.CodeAsync()));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await UseAsync(_b, ticket));
    }

    internal static async Task<HttpStatusCode> UseAsync(CollabTestHost host, string ticket)
    {
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri($"{host.Url}{Path}?wait=0&ticket={ticket}"));
        return answer.StatusCode;
    }

    private Task<CollabTestHost> StartAsync() =>
        CollabTestHost.StartAsync(configure: collab => collab.AddRedis(RedisNodes.ConfigurationOf(_redis.ConnectionString)));
}
