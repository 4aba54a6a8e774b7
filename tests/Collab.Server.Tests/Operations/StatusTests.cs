using System.Net;
using System.Text.Json;
using Collab.Server.Rooms;
using Collab.Testing;
using Collab.Testing.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Tests.Operations;

/// <summary><c>GET /admin/status</c> and the reasons that health gives.</summary>
public sealed class StatusTests : IAsyncLifetime
{
    private const string Administers = """{ "admin": true }""";

    private readonly InMemoryNodes _nodes = new();
    private CollabTestHost _a = null!;
    private CollabTestHost _b = null!;

    public async Task InitializeAsync() => (_a, _b) = (await _nodes.StartAsync(), await _nodes.StartAsync());

    public async Task DisposeAsync() => await _nodes.DisposeAsync();

    [Fact]
    public async Task It_tells_of_connections_rooms_store_and_the_other_nodes()
    {
        var ada = await _a.ConnectAsync("ada");
        await ada.JoinAsync("d");
        await ada.PushAsync("d", new Typist(1).Type("hello"));
        await new ChannelClient(await _b.ConnectAsync("ben")).SubscribeAsync("c");

        var status = await UntilAsync(status =>
            status.GetProperty("nodes") is var nodes && nodes.GetArrayLength() == 1
            && nodes[0].GetProperty("load").GetProperty("channels").GetInt32() == 1);

        Assert.Equal(1, status.GetProperty("load").GetProperty("connections").GetInt32());
        Assert.Equal(1, status.GetProperty("transports").GetProperty("websockets").GetInt32());
        Assert.Equal(1, status.GetProperty("load").GetProperty("updates").GetInt32());
        Assert.True(status.GetProperty("store").GetProperty("isAvailable").GetBoolean());
        Assert.InRange(status.GetProperty("store").GetProperty("bytes").GetInt64(), 5, 1000);
        Assert.True(status.GetProperty("backplane").GetProperty("isShared").GetBoolean());
        var room = Assert.Single(status.GetProperty("rooms").EnumerateArray());
        Assert.Equal(
            ("document", "d", 1, 1),
            (room.GetProperty("kind").GetString(), room.GetProperty("name").GetString(), room.GetProperty("members").GetInt32(), room.GetProperty("offset").GetInt32()));
        Assert.Equal(_b.Url, status.GetProperty("nodes")[0].GetProperty("address").GetString());
        Assert.Equal(0, status.GetProperty("slowReaders").GetArrayLength());
    }

    [Theory]
    [InlineData(CollabTestHost.Everything, HttpStatusCode.Forbidden)]
    [InlineData("[]", HttpStatusCode.Forbidden)]
    [InlineData(Administers, HttpStatusCode.OK)]
    public async Task Only_who_administers_may_ask(string grants, HttpStatusCode expected)
    {
        using var answer = await AskAsync(grants);

        Assert.Equal(expected, answer.StatusCode);
        if (!answer.IsSuccessStatusCode)
        {
            Assert.Equal("forbidden", await answer.CodeAsync());
        }
    }

    [Fact]
    public async Task Without_the_backplane_a_node_is_ready_and_says_that_it_is_degraded()
    {
        _nodes.Network.IsDown = true;
        using var http = new HttpClient();

        using var answer = await http.GetAsync(new Uri($"{_a.Url}/health/ready"));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var health = await answer.JsonAsync();
        Assert.Equal("degraded", health.GetProperty("status").GetString());
        Assert.StartsWith("The backplane is away", health.GetProperty("reasons").GetProperty("backplane").GetString(), StringComparison.Ordinal);
    }

    private async Task<JsonElement> UntilAsync(Func<JsonElement, bool> condition)
    {
        for (var i = 0; i < 100; i++)
        {
            using var answer = await AskAsync(Administers);
            var status = await answer.JsonAsync();
            if (condition(status))
                return status;
            await Task.Delay(100);
        }

        throw new TimeoutException("It did not come to that.");
    }

    private async Task<HttpResponseMessage> AskAsync(string grants)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Add("Authorization", TestAuthentication.Header("root", grants));
        return await http.GetAsync(new Uri($"{_a.Url}/admin/status"));
    }
}
