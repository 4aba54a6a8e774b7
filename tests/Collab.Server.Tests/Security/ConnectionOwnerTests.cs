using System.Net;
using System.Text;
using Collab.Protocol;
using Collab.Testing;

namespace Collab.Server.Tests.Security;

/// <summary>A connection is its owner's: SignalR's connection token alone opens it to nobody else.</summary>
public sealed class ConnectionOwnerTests
{
    private static readonly string Ada = TestAuthentication.Header("ada", CollabTestHost.Everything);
    private static readonly string Mallory = TestAuthentication.Header("mallory", CollabTestHost.Everything);

    [Fact]
    public async Task Another_user_cannot_read_write_or_end_it_over_long_polling()
    {
        await using var host = await CollabTestHost.StartAsync();
        var connection = await NegotiateAsync(host, Ada);
        await SendAsync(HttpMethod.Get, connection, Ada);
        await SendAsync(HttpMethod.Post, connection, Ada, """{"protocol":"json","version":1}""" + "\u001e");

        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Post, HttpMethod.Delete])
        {
            using var refused = await SendAsync(method, connection, Mallory, """{"type":6}""" + "\u001e");
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
            Assert.Equal("forbidden", await refused.CodeAsync());
        }

        using var handshake = await SendAsync(HttpMethod.Get, connection, Ada);
        Assert.Equal("{}\u001e", await handshake.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Another_user_cannot_open_it_over_any_transport()
    {
        await using var host = await CollabTestHost.StartAsync();
        var connection = await NegotiateAsync(host, Ada);
        using var http = new HttpClient();
        using var events = new HttpRequestMessage(HttpMethod.Get, connection);
        events.Headers.Add("Authorization", Mallory);
        events.Headers.Add("Accept", "text/event-stream");
        using var socket = new System.Net.WebSockets.ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", Mallory);
        socket.Options.CollectHttpResponseDetails = true;

        using var refused = await http.SendAsync(events);
        await Assert.ThrowsAsync<System.Net.WebSockets.WebSocketException>(() =>
            socket.ConnectAsync(new UriBuilder(connection) { Scheme = "ws" }.Uri, default));

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, socket.HttpStatusCode);
    }

    [Fact]
    public async Task Another_user_cannot_renew_it()
    {
        await using var host = await CollabTestHost.StartAsync();
        var ada = await host.ConnectAsync("ada", CollabTestHost.ReadEverything);
        await ada.JoinAsync("d");

        using var refused = await host.PostAsync($"{HubContract.Path}/refresh?id={Uri.EscapeDataString(ada.Token!)}", "", authorization: Mallory);

        Assert.Equal("forbidden", await refused.CodeAsync());
        Assert.Equal("forbidden", await TestClient.CodeOfAsync(ada.PushAsync("d", new Typist(1).Type("x"))));
    }

    [Fact]
    public async Task A_connection_that_nobody_negotiated_is_not_found()
    {
        await using var host = await CollabTestHost.StartAsync();

        using var answer = await SendAsync(HttpMethod.Get, new Uri($"{host.Url}{HubContract.Path}?id=made-up"), Ada);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    private static async Task<Uri> NegotiateAsync(CollabTestHost host, string authorization)
    {
        using var answer = await host.PostAsync(HubContract.Path + "/negotiate?negotiateVersion=1", "", authorization: authorization);
        var token = (await answer.JsonAsync()).GetProperty("connectionToken").GetString()!;
        return new Uri($"{host.Url}{HubContract.Path}?id={Uri.EscapeDataString(token)}");
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpMethod method, Uri connection, string authorization, string? body = null)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(method, connection);
        request.Headers.Add("Authorization", authorization);
        if (body is not null && method == HttpMethod.Post)
            request.Content = new StringContent(body, Encoding.UTF8, "text/plain");
        return await http.SendAsync(request);
    }
}
