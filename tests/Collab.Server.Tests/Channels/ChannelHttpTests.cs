using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Collab.Protocol;
using Collab.Server.Channels;
using Collab.Server.Rooms;
using Collab.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Tests.Channels;

/// <summary>Channels over plain HTTP: publishing, short and long polling, members.</summary>
public sealed class ChannelHttpTests
{
    private const string Messages = "/channels/c/messages";

    [Fact]
    public async Task A_message_is_posted_and_read()
    {
        await using var host = await CollabTestHost.StartAsync();
        var posted = await host.PostAsync("/channels/news%2Ftoday/messages", """{ "event": "headline", "data": { "a": [1, "x\ny", null] } }""", "k1");
        Assert.Equal(HttpStatusCode.OK, posted.StatusCode);
        var position = (await posted.JsonAsync()).GetProperty("position").GetString();

        var read = await (await host.GetAsync("/channels/news%2Ftoday/messages?wait=0")).JsonAsync();
        Assert.Equal((position, true), (read.GetProperty("position").GetString(), read.GetProperty("recovered").GetBoolean()));
        var message = Assert.Single(read.GetProperty("messages").EnumerateArray());
        Assert.Equal(["position", "id", "event", "data", "publishedAt", "publisher"], message.EnumerateObject().Select(property => property.Name));
        Assert.Equal((position, "k1", "headline", "ada"), (Text(message, "position"), Text(message, "id"), Text(message, "event"), Text(message, "publisher")));
        Assert.Equal("""{"a":[1,"x\ny",null]}""", message.GetProperty("data").GetRawText());
    }

    [Fact]
    public async Task A_batch_is_published_whole_and_its_key_counts_for_each()
    {
        await using var host = await CollabTestHost.StartAsync();
        const string Batch = """[{"event":"n","data":1},{"event":"n","data":2,"idempotencyKey":"own"},{"event":"n"}]""";
        var first = await (await host.PostAsync(Messages, Batch, "batch")).JsonAsync();
        var again = await (await host.PostAsync(Messages, Batch, "batch")).JsonAsync();
        Assert.Equal(3, first.GetProperty("positions").GetArrayLength());
        Assert.Equal(first.GetRawText(), again.GetRawText());
        Assert.Equal(Text(first, "position"), first.GetProperty("positions")[2].GetString());
        var read = (await (await host.GetAsync(Messages + "?wait=0")).JsonAsync()).GetProperty("messages");
        Assert.Equal(["1", "2", "null"], read.EnumerateArray().Select(message => message.GetProperty("data").GetRawText()));
        Assert.Equal(["batch/0", "own", "batch/2"], read.EnumerateArray().Select(message => Text(message, "id")));

        Assert.Equal(HttpStatusCode.BadRequest, (await host.PostAsync(Messages, """[{"event":"n"},{"event":""}]""")).StatusCode);
        Assert.Equal(3, (await (await host.GetAsync(Messages + "?wait=0")).JsonAsync()).GetProperty("messages").GetArrayLength());
    }

    [Fact]
    public async Task An_answer_that_did_not_have_to_wait_says_its_length()
    {
        await using var host = await CollabTestHost.StartAsync();
        await host.PostAsync(Messages, """[{"event":"n","data":"é"},{"event":"n"}]""");
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(host.Url + Messages + "?wait=0"));
        request.Headers.Add("Authorization", TestAuthentication.Header("ada", CollabTestHost.Everything));

        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        Assert.NotNull(answer.Content.Headers.ContentLength);
        Assert.Equal(answer.Content.Headers.ContentLength, (await answer.Content.ReadAsByteArrayAsync()).Length);
        Assert.Null(answer.Headers.TransferEncodingChunked);
    }

    [Fact]
    public async Task Who_read_what_is_committed_before_the_server_was_told_goes_on_from_there()
    {
        var log = new GatedRoomLog();
        await using var host = await CollabTestHost.StartAsync(configure: collab => collab.Services.AddSingleton<IRoomLog>(log));
        await host.PostAsync(Messages, """{"event":"n"}""");
        var committed = await log.AppendAsync(
            new RoomKey(RoomKind.Channel, "c"), [new NewMessage("n", null, null).ToEntry(new ChannelNamespace(), "ada")], default);

        var page = await (await host.GetAsync($"{Messages}?wait=0&after={committed.Last}")).JsonAsync();

        Assert.True(page.GetProperty("recovered").GetBoolean());
        Assert.Empty(page.GetProperty("messages").EnumerateArray());
        Assert.Equal(committed.Last.ToString(), Text(page, "position"));
        var beyond = await (await host.GetAsync($"{Messages}?wait=0&after={committed.Last with { Offset = 3 }}")).JsonAsync();
        Assert.False(beyond.GetProperty("recovered").GetBoolean());
    }

    [Fact]
    public async Task Polling_goes_on_from_the_position_of_the_last_answer()
    {
        await using var host = await CollabTestHost.StartAsync();
        var start = Text(await (await host.GetAsync(Messages + "?wait=0")).JsonAsync(), "position");
        for (var i = 0; i < 25; i++)
            await host.PostAsync(Messages, $$"""{"event":"n","data":{{i}}}""");
        var seen = new List<int>();
        for (var position = start; seen.Count < 25;)
        {
            Assert.Equal(HttpStatusCode.OK, (await host.GetAsync(Messages + "?after=&wait=0")).StatusCode);
            var page = await (await host.GetAsync($"{Messages}?wait=0&limit=10&after={position}")).JsonAsync();
            Assert.True(page.GetProperty("recovered").GetBoolean());
            seen.AddRange(page.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("data").GetInt32()));
            position = Text(page, "position");
        }

        Assert.Equal(Enumerable.Range(0, 25), seen);
    }

    [Fact]
    public async Task A_long_poll_answers_when_something_is_published()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Fanout:KeepAliveMilliseconds", "1000")]);
        var position = Text(await (await host.PostAsync(Messages, """{"event":"n","data":1}""")).JsonAsync(), "position");
        var polls = Enumerable.Range(0, 20).Select(_ => host.GetAsync($"{Messages}?after={position}")).ToArray();
        await Task.Delay(2500);
        Assert.All(polls, poll => Assert.False(poll.IsCompletedSuccessfully && poll.Result.Content.Headers.ContentLength > 0));
        var next = Text(await (await host.PostAsync(Messages, """{"event":"n","data":2}""")).JsonAsync(), "position");
        foreach (var poll in polls)
        {
            var answer = await poll;
            Assert.Equal("application/json", answer.Content.Headers.ContentType!.MediaType);
            // It has begun with what keeps proxies from giving up, which a JSON parser skips.
            Assert.StartsWith("\n", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            Assert.Equal(next, Text(await answer.JsonAsync(), "position"));
        }
    }

    [Fact]
    public async Task A_long_poll_ends_after_its_wait()
    {
        await using var host = await CollabTestHost.StartAsync();
        var position = Text(await (await host.PostAsync(Messages, """{"event":"n","data":1}""")).JsonAsync(), "position");
        var clock = Stopwatch.StartNew();
        var answer = await (await host.GetAsync($"{Messages}?wait=0.5&after={position}")).JsonAsync();
        Assert.InRange(clock.ElapsedMilliseconds, 450, 10_000);
        Assert.Equal((position, 0), (Text(answer, "position"), answer.GetProperty("messages").GetArrayLength()));
    }

    [Fact]
    public async Task Short_polling_costs_nothing_while_nothing_is_new()
    {
        await using var host = await CollabTestHost.StartAsync();
        await host.PostAsync(Messages, """{"event":"n","data":1}""");
        var first = await host.GetAsync(Messages + "?wait=0");
        var tag = first.Headers.ETag!.ToString();
        Assert.Equal(HttpStatusCode.NotModified, (await host.GetAsync(Messages + "?wait=0", ifNoneMatch: tag)).StatusCode);
        await host.PostAsync(Messages, """{"event":"n","data":2}""");
        var second = await host.GetAsync(Messages + "?wait=0", ifNoneMatch: tag);
        Assert.Equal(HttpStatusCode.OK, second.StatusCode);
        Assert.NotEqual(tag, second.Headers.ETag!.ToString());
    }

    [Theory]
    [InlineData("?after=nonsense&wait=0", "invalid_position")]
    [InlineData("?wait=-1", "invalid_argument")]
    [InlineData("?wait=61", "invalid_argument")]
    [InlineData("?wait=soon", "invalid_argument")]
    [InlineData("?limit=99999999999&wait=0", "invalid_argument")]
    [InlineData("?limit=0&wait=0", "invalid_argument")]
    [InlineData("?limit=1001&wait=0", "invalid_argument")]
    public async Task A_bad_question_is_refused_with_its_code(string query, string code)
    {
        await using var host = await CollabTestHost.StartAsync();
        var answer = await host.GetAsync(Messages + query);
        Assert.Equal((HttpStatusCode.BadRequest, code), (answer.StatusCode, await answer.CodeAsync()));
    }

    [Theory]
    [InlineData("{", "invalid_message")]
    [InlineData("", "invalid_message")]
    [InlineData("12", "invalid_message")]
    [InlineData("[]", "invalid_argument")]
    [InlineData("[1]", "invalid_message")]
    [InlineData("""{"event":5}""", "invalid_message")]
    [InlineData("""{"data":5}""", "invalid_message")]
    [InlineData("""{"event":"\ud800"}""", "invalid_message")]
    [InlineData("""{"event":"e","data":"\ud800"}""", "invalid_message")]
    public async Task A_bad_message_is_refused_with_its_code(string body, string code)
    {
        await using var host = await CollabTestHost.StartAsync();
        var answer = await host.PostAsync(Messages, body);
        Assert.Equal((HttpStatusCode.BadRequest, code), (answer.StatusCode, await answer.CodeAsync()));
        var deep = await host.PostAsync(Messages, $$"""{"event":"e","data":{{new string('[', 5000)}}{{new string(']', 5000)}}}""");
        Assert.Equal(HttpStatusCode.BadRequest, deep.StatusCode);
    }

    [Fact]
    public async Task What_is_too_large_is_refused()
    {
        await using var host = await CollabTestHost.StartAsync();
        foreach (var size in (int[])[70_000, 12_000_000])
        {
            var answer = await host.PostAsync(Messages, $$"""{"event":"e","data":"{{new string('x', size)}}"}""");
            Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "too_large"), (answer.StatusCode, await answer.CodeAsync()));
        }

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await host.PostAsync(Messages, "{}", contentType: "text/plain")).StatusCode);
    }

    [Fact]
    public async Task A_position_that_the_history_does_not_reach_is_told()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Channels:Default:HistoryMessages", "5")]);
        var first = Text(await (await host.PostAsync(Messages, """{"event":"n","data":0}""")).JsonAsync(), "position");
        for (var i = 1; i < 20; i++)
            await host.PostAsync(Messages, $$"""{"event":"n","data":{{i}}}""");
        foreach (var position in (string[])[first, "0123456789ab-3"])
        {
            var answer = await (await host.GetAsync($"{Messages}?wait=30&after={position}")).JsonAsync();
            Assert.False(answer.GetProperty("recovered").GetBoolean());
            Assert.Equal(5, answer.GetProperty("messages").GetArrayLength());
        }
    }

    [Fact]
    public async Task Every_door_asks_for_its_right()
    {
        await using var host = await CollabTestHost.StartAsync();
        const string Nothing = """{ "channel": "c", "access": [] }""";
        foreach (var path in (string[])[Messages, "/channels/c/events", "/channels/c/members", "/events?channel=c"])
            Assert.Equal(HttpStatusCode.Forbidden, (await host.GetAsync(path, grants: Nothing)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await host.PostAsync(Messages, """{"event":"e"}""", grants: Nothing)).StatusCode);
        using var http = new HttpClient();
        foreach (var path in (string[])[Messages, "/channels/c/events", "/channels/c/members", "/events?channel=c"])
            Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync(new Uri(host.Url + path))).StatusCode);
    }

    [Fact]
    public async Task Too_many_messages_are_refused_and_told_when_to_come_back()
    {
        await using var host = await CollabTestHost.StartAsync(
            [("Collab:Channels:PublishesPerSecond", "10"), ("Collab:Channels:PublishBurst", "20")]);
        HttpResponseMessage answer;
        var published = 0;
        while ((answer = await host.PostAsync(Messages, """{"event":"n"}""")).StatusCode == HttpStatusCode.OK && published < 200)
            published++;
        Assert.InRange(published, 20, 60);
        Assert.Equal((HttpStatusCode.TooManyRequests, "rate_limited"), (answer.StatusCode, await answer.CodeAsync()));
        Assert.NotNull(answer.Headers.RetryAfter);
        var hub = new ChannelClient(await host.ConnectAsync());
        var codes = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => TestClient.CodeOfAsync(hub.PublishAsync("c", "n", i))));
        Assert.Contains(ErrorCodes.RateLimited, codes);
        Assert.Equal("too_large", await (await host.PostAsync(Messages, $"[{string.Join(',', Enumerable.Repeat("{\"event\":\"n\"}", 21))}]")).CodeAsync());
    }

    [Fact]
    public async Task A_namespace_has_a_rate_of_its_own()
    {
        await using var host = await CollabTestHost.StartAsync(
            [("Collab:Channels:Namespaces:0:Pattern", "slow:*"), ("Collab:Channels:Namespaces:0:PublishesPerSecond", "5")]);
        var clients = await Task.WhenAll(Enumerable.Range(0, 4).Select(async i => new ChannelClient(await host.ConnectAsync($"u{i}"))));
        var codes = await Task.WhenAll(clients.SelectMany(client => Enumerable.Range(0, 10).Select(i => TestClient.CodeOfAsync(client.PublishAsync("slow:a", "n", i)))));
        Assert.InRange(codes.Count(code => code == "no error"), 5, 15);
        Assert.Equal("no error", await TestClient.CodeOfAsync(clients[0].PublishAsync("fast:a", "n", 1)));
    }

    private static string Text(JsonElement element, string property) => element.GetProperty(property).GetString()!;
}
