using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using Collab.Protocol;
using Collab.Testing;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Tests.Security;

/// <summary>A ticket stands for a signed-in user in an address: for one path, once, and for 30 seconds.</summary>
public sealed class TicketTests
{
    private const string Poll = "/channels/c/messages";

    [Fact]
    public async Task A_ticket_opens_its_path_without_any_header()
    {
        await using var host = await CollabTestHost.StartAsync();
        using var answer = await host.PostAsync("/tickets", $$"""{ "path": "{{Poll}}" }""");
        var bought = await answer.JsonAsync();

        Assert.Equal(30, bought.GetProperty("expiresIn").GetInt32());
        Assert.Matches("^[A-Za-z0-9_-]{43}$", bought.GetProperty("ticket").GetString());
        Assert.True(answer.Headers.CacheControl!.NoStore);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, $"{Poll}?wait=0&ticket={bought.GetProperty("ticket").GetString()}"));
    }

    [Fact]
    public async Task A_ticket_that_was_used_is_refused()
    {
        await using var host = await CollabTestHost.StartAsync();
        var ticket = await host.TicketAsync(Poll);

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, $"{Poll}?wait=0&ticket={ticket}"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(host, $"{Poll}?wait=0&ticket={ticket}"));
    }

    [Theory]
    [InlineData(29, HttpStatusCode.OK)]
    [InlineData(31, HttpStatusCode.Unauthorized)]
    public async Task A_ticket_waits_for_thirty_seconds(int seconds, HttpStatusCode status)
    {
        var time = new ShiftedTime();
        await using var host = await CollabTestHost.StartAsync(configure: At(time));
        var ticket = await host.TicketAsync(Poll);

        time.Advance(TimeSpan.FromSeconds(seconds));

        Assert.Equal(status, await StatusAsync(host, $"{Poll}?wait=0&ticket={ticket}"));
    }

    [Fact]
    public async Task A_ticket_for_another_path_is_refused_and_used_up()
    {
        await using var host = await CollabTestHost.StartAsync();
        var ticket = await host.TicketAsync(Poll);

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(host, $"/channels/d/messages?wait=0&ticket={ticket}"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(host, $"{Poll}?wait=0&ticket={ticket}"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&ticket=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task What_is_no_ticket_is_refused(string ticket)
    {
        await using var host = await CollabTestHost.StartAsync();

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(host, $"{Poll}?wait=0&ticket={ticket}"));
    }

    [Fact]
    public async Task A_thousand_tickets_bought_at_once_are_different_and_each_works_exactly_once()
    {
        await using var host = await CollabTestHost.StartAsync();
        var tickets = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => host.TicketAsync(Poll)));
        using var http = new HttpClient();

        // Each is used twice at the same time.
        var answers = await Task.WhenAll(tickets.Concat(tickets).Select(async ticket =>
        {
            using var answer = await http.GetAsync(new Uri($"{host.Url}{Poll}?wait=0&ticket={ticket}"));
            return (Ticket: ticket, answer.StatusCode);
        }));

        Assert.Equal(1000, tickets.Distinct().Count());
        Assert.All(answers.GroupBy(answer => answer.Ticket), both => Assert.Equal(
            [HttpStatusCode.OK, HttpStatusCode.Unauthorized], both.Select(answer => answer.StatusCode).Order()));
    }

    [Fact]
    public async Task A_ticket_grants_what_its_buyer_may_and_no_more()
    {
        await using var host = await CollabTestHost.StartAsync();
        var ticket = await host.TicketAsync(Poll, """[{ "channel": "other", "access": ["subscribe"] }]""");

        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(host, $"{Poll}?wait=0&ticket={ticket}"));
    }

    [Theory]
    [InlineData("/channels/acme%2Fplan:a/messages", "/channels/acme%2Fplan:a/messages")]
    [InlineData("/channels/acme%2fplan%3Aa/messages", "/channels/acme%2Fplan:a/messages")]
    [InlineData("/channels/acme%2Fplan:a/messages", "/channels/acme%2fplan%3aa/messages")]
    public async Task A_path_may_be_written_with_other_escapes_than_the_address(string path, string address)
    {
        await using var host = await CollabTestHost.StartAsync();
        var ticket = await host.TicketAsync(path);

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, $"{address}?wait=0&ticket={ticket}"));
    }

    [Theory]
    [InlineData("""{ "path": "channels/c/events" }""")]
    [InlineData("""{ "path": "https://collab.example/channels/c/events" }""")]
    [InlineData("""{ "path": "//collab.example/events" }""")]
    [InlineData("""{ "path": "/channels/c/events?rewind=1" }""")]
    [InlineData("""{ "path": "/channels/%00" }""")]
    [InlineData("""{ "path": "" }""")]
    [InlineData("""{ "path": null }""")]
    [InlineData("""{ "path": 1 }""")]
    [InlineData("""{ }""")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("no json")]
    [InlineData("")]
    public async Task There_is_no_ticket_without_a_path(string body)
    {
        await using var host = await CollabTestHost.StartAsync();

        using var answer = await host.PostAsync("/tickets", body);

        Assert.Equal((HttpStatusCode.BadRequest, "invalid_argument"), (answer.StatusCode, await answer.CodeAsync()));
    }

    [Fact]
    public async Task A_request_for_a_ticket_is_small()
    {
        await using var host = await CollabTestHost.StartAsync();

        using var answer = await host.PostAsync("/tickets", $$"""{ "path": "/{{new string('x', 20_000)}}" }""");

        Assert.Equal("too_large", await answer.CodeAsync());
    }

    [Fact]
    public async Task Who_is_not_signed_in_gets_no_ticket()
    {
        await using var host = await CollabTestHost.StartAsync();

        Assert.Equal(HttpStatusCode.Unauthorized, (await BuyAsync(host, "")).Status);
    }

    [Fact]
    public async Task A_ticket_buys_no_other_ticket()
    {
        await using var host = await CollabTestHost.StartAsync();

        Assert.Equal((HttpStatusCode.Forbidden, "forbidden"), await BuyAsync(host, "?ticket=" + await host.TicketAsync("/tickets")));
    }

    [Fact]
    public async Task An_event_stream_opens_with_a_ticket_and_comes_back_with_another()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Channels:RetryMilliseconds", "100")]);
        string? next = await host.TicketAsync("/channels/c/events");
        await using var stream = new EventSourceReader(() => $"{host.Url}/channels/c/events?ticket={next}", "");
        await stream.UntilAsync(self => self.LastId.Length > 0);
        next = await host.TicketAsync("/channels/c/events");
        stream.Cut();
        await stream.UntilAsync(self => self.Opened == 2);
        stream.Cut();

        await stream.UntilAsync(self => self.EndedBy is HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_stream_of_several_channels_opens_with_a_ticket()
    {
        await using var host = await CollabTestHost.StartAsync();
        var ticket = await host.TicketAsync("/events");

        await using var stream = new EventSourceReader(() => $"{host.Url}/events?channel=a&channel=b&ticket={ticket}", "");

        await stream.UntilAsync(self => self.LastId.Length > 0);
    }

    [Fact]
    public async Task The_hub_opens_a_WebSocket_with_a_ticket_and_knows_whose_it_is()
    {
        await using var host = await CollabTestHost.StartAsync();
        await using var connection = await ConnectAsync(host, await host.TicketAsync(HubContract.Path));
        var client = new TestClient(connection);

        Assert.Equal("write", (await client.JoinAsync("d")).Access);
        await client.PushAsync("d", new Typist(1).Type("hello"));
    }

    [Fact]
    public async Task The_hub_opens_nothing_with_a_ticket_for_another_path()
    {
        await using var host = await CollabTestHost.StartAsync();

        await Assert.ThrowsAnyAsync<Exception>(async () => await ConnectAsync(host, await host.TicketAsync("/events")));
    }

    [Fact]
    public async Task What_a_ticket_opened_ends_with_what_the_ticket_was_bought_with()
    {
        var time = new ShiftedTime();
        await using var host = await CollabTestHost.StartAsync(configure: At(time));
        var expires = DateTimeOffset.UtcNow.AddHours(1);
        var ticket = await BoughtUntilAsync(host, "/channels/c/events", expires);
        string? url = $"{host.Url}/channels/c/events?ticket={ticket}";
        await using var stream = new EventSourceReader(() => url, "");
        await stream.UntilAsync(self => self.LastId.Length > 0);

        time.Advance(TimeSpan.FromHours(2));

        // The server has ended it; what comes then is that the ticket was used.
        await stream.UntilAsync(self => self.EndedBy is HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_ticket_does_not_outlive_what_it_was_bought_with()
    {
        var time = new ShiftedTime();
        await using var host = await CollabTestHost.StartAsync(configure: At(time));
        var ticket = await BoughtUntilAsync(host, Poll, DateTimeOffset.UtcNow.AddSeconds(10));

        time.Advance(TimeSpan.FromSeconds(15));

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(host, $"{Poll}?wait=0&ticket={ticket}"));
    }

    [Fact]
    public async Task A_hub_connection_ends_with_what_its_ticket_was_bought_with()
    {
        await using var host = await CollabTestHost.StartAsync();
        // SignalR goes by the system's time.
        var ticket = await BoughtUntilAsync(host, HubContract.Path, DateTimeOffset.UtcNow.AddSeconds(5));
        await using var connection = await ConnectAsync(host, ticket!);
        var client = new TestClient(connection);
        await client.JoinAsync("d");

        await client.UntilAsync(self => self.IsClosed);
    }

    [Fact]
    public async Task No_trace_holds_a_ticket()
    {
        var traced = new ConcurrentQueue<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity => traced.Enqueue(string.Join(' ', activity.TagObjects.Append(new("name", activity.DisplayName)))),
        };
        ActivitySource.AddActivityListener(listener);
        await using var host = await CollabTestHost.StartAsync();
        var ticket = await host.TicketAsync("/channels/traced/messages");
        await StatusAsync(host, $"/channels/traced/messages?wait=0&ticket={ticket}");

        // The client, in this process too, traces by itself: it leaves the query's values out as well.
        Assert.NotEmpty(traced);
        Assert.DoesNotContain(traced, activity => activity.Contains(ticket, StringComparison.Ordinal));
    }

    private static Action<ICollabBuilder> At(TimeProvider time) => collab => collab.Services.AddSingleton(time);

    private static async Task<HttpStatusCode> StatusAsync(CollabTestHost host, string address)
    {
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri(host.Url + address));
        return answer.StatusCode;
    }

    /// <summary>Asks for a ticket without the header that signs in.</summary>
    private static async Task<(HttpStatusCode Status, string? Code)> BuyAsync(CollabTestHost host, string query)
    {
        using var http = new HttpClient();
        using var body = new StringContent($$"""{ "path": "{{Poll}}" }""", Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri($"{host.Url}/tickets{query}"), body);
        return (answer.StatusCode, answer.StatusCode is HttpStatusCode.Unauthorized ? null : await answer.CodeAsync());
    }

    /// <summary>Buys a ticket with a sign-in that expires.</summary>
    private static async Task<string?> BoughtUntilAsync(CollabTestHost host, string path, DateTimeOffset expires)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Add("Authorization", TestAuthentication.Header("ada", CollabTestHost.Everything, expires));
        using var body = new StringContent(JsonSerializer.Serialize(new { path }), Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri($"{host.Url}/tickets"), body);
        return (await answer.JsonAsync()).GetProperty("ticket").GetString();
    }

    private static async Task<HubConnection> ConnectAsync(CollabTestHost host, string ticket)
    {
        var connection = new HubConnectionBuilder().WithUrl($"{host.Url}{HubContract.Path}?ticket={ticket}", options =>
        {
            options.Transports = HttpTransportType.WebSockets;
            options.SkipNegotiation = true;
        }).Build();
        try
        {
            await connection.StartAsync();
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
