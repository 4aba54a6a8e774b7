using System.Net;
using Collab.Crdt;
using Collab.Protocol;
using Collab.Testing;
using Microsoft.AspNetCore.SignalR.Client;

namespace Collab.Server.Tests.Limits;

/// <summary>How much one connection, or one user over HTTP, may ask for and send; each limit is reached and then exceeded by one.</summary>
public sealed class CallLimitTests
{
    [Fact]
    public async Task A_connection_is_in_a_thousand_rooms_at_most_documents_and_channels_together()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = await host.ConnectAsync();
        await Task.WhenAll(Enumerable.Range(0, 500).Select(i => client.JoinAsync($"d/{i}")));
        await Task.WhenAll(Enumerable.Range(0, 500).Select(i => client.Connection.InvokeAsync("Subscribe", $"c/{i}", null)));

        Assert.Equal(ErrorCodes.TooMany, await TestClient.CodeOfAsync(client.JoinAsync("d/more")));
        Assert.Equal(ErrorCodes.TooMany, await TestClient.CodeOfAsync(client.Connection.InvokeAsync("Subscribe", "c/more", null)));

        // Those that it is in can be joined anew, and who leaves one may enter another.
        await client.JoinAsync("d/0");
        await client.LeaveAsync("d/0");
        await client.JoinAsync("d/more");
        Assert.Equal(ErrorCodes.NotJoined, await TestClient.CodeOfAsync(client.PushAsync("d/0", new Typist(1).Type("a"))));
    }

    [Fact]
    public async Task An_event_stream_follows_no_more_channels_than_a_connection_may()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Limits:RoomsPerConnection", "2")]);

        using var refused = await host.GetAsync("/events?channel=a&channel=b&channel=c");

        Assert.Equal((HttpStatusCode.TooManyRequests, ErrorCodes.TooMany), (refused.StatusCode, await refused.CodeAsync()));
    }

    [Fact]
    public async Task More_updates_than_the_burst_are_refused_until_time_has_passed()
    {
        await using var host = await CollabTestHost.StartAsync(
            [("Collab:Documents:UpdateBurst", "20"), ("Collab:Documents:UpdatesPerSecond", "10")]);
        var (client, other) = (await host.ConnectAsync(), await host.ConnectAsync());
        await client.JoinAsync("d");
        await other.JoinAsync("d");
        var typist = new Typist(1);

        var codes = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => TestClient.CodeOfAsync(client.PushAsync("d", typist.Type("a")))));

        // While they were sent a few more became possible.
        Assert.InRange(codes.Count(code => code == "no error"), 20, 30);
        Assert.All(codes, code => Assert.Contains(code, (string[])["no error", ErrorCodes.RateLimited]));
        await other.PushAsync("d", new Typist(2).Type("of another connection"));
        await Task.Delay(TimeSpan.FromSeconds(1));
        await client.PushAsync("d", typist.Type("a"));
    }

    [Fact]
    public async Task A_refusal_says_how_long_to_wait()
    {
        await using var host = await CollabTestHost.StartAsync(
            [("Collab:Documents:UpdateBurst", "1"), ("Collab:Documents:UpdatesPerSecond", "1")]);
        var client = await host.ConnectAsync();
        await client.JoinAsync("d");
        await client.PushAsync("d", new Typist(1).Type("a"));

        var refusal = await Assert.ThrowsAsync<Microsoft.AspNetCore.SignalR.HubException>(() => client.PushAsync("d", new Typist(2).Type("b")));

        Assert.Matches(@"rate_limited: you send too many updates; try again in (1|0\.\d+) seconds", refusal.Message);
    }

    [Fact]
    public async Task More_awareness_than_the_burst_is_refused()
    {
        await using var host = await CollabTestHost.StartAsync(
            [("Collab:Documents:AwarenessBurst", "20"), ("Collab:Documents:AwarenessPerSecond", "1")]);
        var client = await host.ConnectAsync();
        await client.JoinAsync("d");

        var codes = await Task.WhenAll(Enumerable.Range(0, 30).Select(i =>
            TestClient.CodeOfAsync(client.ShowAsync("d", new AwarenessState(1, (ulong)i, "{}"u8.ToArray())))));

        Assert.InRange(codes.Count(code => code == "no error"), 20, 25);
        Assert.Contains(ErrorCodes.RateLimited, codes);
    }

    [Fact]
    public async Task More_questions_than_the_burst_are_refused_over_the_hub()
    {
        await using var host = await CollabTestHost.StartAsync(
            [("Collab:Limits:RequestBurst", "20"), ("Collab:Limits:RequestsPerSecond", "1")]);
        var client = await host.ConnectAsync();

        var codes = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ =>
            TestClient.CodeOfAsync(client.Connection.InvokeAsync("GetHistory", "c", null))));

        Assert.InRange(codes.Count(code => code == "no error"), 20, 25);
        Assert.Contains(ErrorCodes.RateLimited, codes);
    }

    [Fact]
    public async Task More_requests_than_the_burst_are_refused_over_HTTP_and_say_when_to_come_back()
    {
        await using var host = await CollabTestHost.StartAsync(
            [("Collab:Limits:RequestBurst", "20"), ("Collab:Limits:RequestsPerSecond", "1")]);

        var answers = new List<HttpResponseMessage>();
        for (var i = 0; i < 30; i++)
            answers.Add(await host.GetAsync("/channels/c/messages?wait=0"));

        var refused = answers.Where(answer => answer.StatusCode is HttpStatusCode.TooManyRequests).ToArray();
        Assert.InRange(refused.Length, 5, 10);
        Assert.Equal(ErrorCodes.RateLimited, await refused[0].CodeAsync());
        Assert.InRange(refused[0].Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 20);
        // Nor can he open a connection now; another user can.
        using var negotiation = await host.PostAsync(HubContract.Path + "/negotiate?negotiateVersion=1", "");
        Assert.Equal(HttpStatusCode.TooManyRequests, negotiation.StatusCode);
        await host.ConnectAsync("grace");
    }

    [Fact]
    public async Task Who_goes_on_though_he_is_refused_is_sent_away_and_others_notice_nothing()
    {
        await using var host = await CollabTestHost.StartAsync(
            [("Collab:Documents:UpdateBurst", "10"), ("Collab:Documents:UpdatesPerSecond", "1"), ("Collab:Limits:RefusalsPerConnection", "50")]);
        var (persistent, other) = (await host.ConnectAsync("eve"), await host.ConnectAsync());
        await persistent.JoinAsync("d");
        await other.JoinAsync("d");

        var refused = 0;
        while (!persistent.IsClosed && refused < 1_000)
        {
            try
            {
                await persistent.PushAsync("d", Updates.EmptyV1.ToArray());
            }
            catch (Exception)
            {
                refused++;
            }
        }

        await persistent.UntilAsync(self => self.IsClosed);
        Assert.Contains(ErrorCodes.RateLimited, persistent.ClosedBy!.Message, StringComparison.Ordinal);
        Assert.InRange(refused, 51, 200);
        await other.PushAsync("d", new Typist(2).Type("a"));
        Assert.False(other.IsClosed);
    }

    [Fact]
    public async Task A_document_takes_in_no_more_than_its_size_but_deletions()
    {
        await using var host = await CollabTestHost.StartAsync(
            [("Collab:Documents:MaxUpdateBytes", "1024"), ("Collab:Documents:MaxDocumentBytes", "4096")]);
        var client = await host.ConnectAsync();
        await client.JoinAsync("d");
        var typist = new Typist(7);

        var size = 0;
        var code = "no error";
        while (code == "no error" && size < 100_000)
        {
            var update = typist.Type(new string('x', 500));
            code = await TestClient.CodeOfAsync(client.PushAsync("d", update));
            size += update.Length;
        }

        Assert.Equal(ErrorCodes.TooLarge, code);
        Assert.InRange(size, 4096 - 2, 4096 + 600);
        // Deletes what client 7 wrote from clock 0 on: no structs; one client with one range.
        await client.PushAsync("d", [0, 1, 7, 1, 0, 100]);
    }
}
