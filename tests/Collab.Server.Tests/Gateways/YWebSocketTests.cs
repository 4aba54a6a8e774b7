using System.Net;
using System.Net.WebSockets;
using Collab.Server.Fanout;
using Collab.Testing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Gateways;

/// <summary>What the npm packages in <c>clients/typescript/gateways</c> do not show of the y-websocket gateway.</summary>
public sealed class YWebSocketTests
{
    private static readonly byte[] Nothing = [0, 0, 1, 0];

    [Fact]
    public async Task Over_http_2_it_is_the_same()
    {
        await using var host = await CollabTestHost.StartAsync(configure: collab => collab.Services.Configure<KestrelServerOptions>(
            server => server.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2)));
        using var socket = new ClientWebSocket { Options = { HttpVersion = HttpVersion.Version20, HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact } };
        using var http = new HttpMessageInvoker(new SocketsHttpHandler());

        await ConnectAsync(socket, host, "acme/d", http);
        Assert.Equal(Nothing, await ReceiveAsync(socket));
        var update = new Typist(1).Type("text");
        await socket.SendAsync(new byte[] { 0, 2, (byte)update.Length }.Concat(update).ToArray(), WebSocketMessageType.Binary, true, default);

        Assert.Equal([0, 2, (byte)update.Length, .. update], await ReceiveAsync(socket));
    }

    [Fact]
    public async Task A_silent_client_hears_something_before_he_gives_up()
    {
        await using var host = await CollabTestHost.StartAsync(
            configure: collab => collab.Services.Configure<FanoutOptions>(fanout => fanout.KeepAliveMilliseconds = 1_000));
        using var socket = new ClientWebSocket();

        await ConnectAsync(socket, host, "d");

        Assert.Equal(Nothing, await ReceiveAsync(socket));
        Assert.Equal([1, 1, 0], await ReceiveAsync(socket));
        Assert.Equal([1, 1, 0], await ReceiveAsync(socket));
    }

    [Fact]
    public async Task A_large_document_is_sent_in_one_message()
    {
        await using var host = await CollabTestHost.StartAsync();
        await using var writer = await host.ConnectAsync("ada");
        await writer.JoinAsync("d");
        var typist = new Typist(1);
        await writer.PushAsync("d", typist.Type(new string('x', 1_000_000)));
        using var socket = new ClientWebSocket();
        await ConnectAsync(socket, host, "d");
        await ReceiveAsync(socket);

        await socket.SendAsync(Nothing, WebSocketMessageType.Binary, true, default);

        var answer = await ReceiveAsync(socket);
        Assert.Equal([0, 1], answer[..2]);
        Assert.InRange(answer.Length, 1_000_000, 1_000_100);
    }

    private static Task ConnectAsync(ClientWebSocket socket, CollabTestHost host, string document, HttpMessageInvoker? http = null)
    {
        socket.Options.SetRequestHeader("Authorization", TestAuthentication.Header("ada", CollabTestHost.Everything));
        return socket.ConnectAsync(new Uri($"{host.Url.Replace("http", "ws", StringComparison.Ordinal)}/yjs/{document}"), http, default);
    }

    private static async Task<byte[]> ReceiveAsync(ClientWebSocket socket)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var message = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var read = await socket.ReceiveAsync(buffer, patience.Token);
            message.Write(buffer, 0, read.Count);
            if (read.EndOfMessage)
                return message.ToArray();
        }
    }
}
