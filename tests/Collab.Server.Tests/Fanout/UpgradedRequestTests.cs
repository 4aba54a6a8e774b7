using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Text;
using Collab.Server.Fanout.Sockets;
using Collab.Server.Fanout.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Tests.Fanout;

/// <summary>A WebSocket that goes on when the server's request has ended, on a real server.</summary>
public sealed class UpgradedRequestTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TaskCompletionSource _requestEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<string> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<string> _log = [];
    private readonly AsyncLocal<string?> _flowing = new();
    private readonly WebApplication _app;
    private RequestDelegate _serve = _ => Task.CompletedTask;
    private WeakReference? _request;

    public UpgradedRequestTests()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders().AddProvider(new Records(_log));
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(endpoint => endpoint.UseSocketOutput()));
        builder.Services.AddScoped<Scoped>();
        _app = builder.Build();
        _app.Use(async (context, next) =>
        {
            context.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim("sub", "ada")], "test"));
            context.Items["item"] = "kept";
            _flowing.Value = "of the request";
            await next();
            _requestEnded.TrySetResult();
        });
        _app.UseRouting();
        var endpoint = ((IEndpointRouteBuilder)_app).CreateApplicationBuilder();
        endpoint.UseWebSockets();
        endpoint.Run(context => _serve(context));
        var serve = endpoint.Build();
        _app.MapGet("/{room}", context =>
        {
            _request = new WeakReference(context.Features.Get<IHttpUpgradeFeature>());
            var connection = (SocketDuplex)context.Features.GetRequiredFeature<IConnectionTransportFeature>().Transport;
            return UpgradedRequest.ServeAsync(context, connection, request =>
            {
                var upgrade = request.Features.GetRequiredFeature<IHttpUpgradeFeature>();
                request.Features.Set<IHttpUpgradeFeature>(new FrameStreamFeature(upgrade, () => () => { }, Patience, connection.Socket));
                return serve(request);
            });
        }).WithMetadata("of the endpoint");
    }

    private Uri Address => new(_app.Urls.Single().Replace("http", "ws", StringComparison.Ordinal) + "/a-room?session=s");

    public Task InitializeAsync() => _app.StartAsync();

    public Task DisposeAsync() => _app.DisposeAsync().AsTask();

    [Fact]
    public async Task The_servers_request_ends_and_the_socket_goes_on()
    {
        _serve = EchoAsync;
        using var client = await ConnectAsync();

        await _requestEnded.Task.WaitAsync(Patience);

        foreach (var length in (int[])[1, 100, 70_000])
            Assert.Equal(new string('x', length), await SayAsync(client, new string('x', length)));
    }

    [Fact]
    public async Task Of_the_servers_request_nothing_is_kept()
    {
        _serve = EchoAsync;
        using var client = await ConnectAsync();
        await SayAsync(client, "hello");

        // What runs at this moment, such as the server's heartbeat, may hold it a little longer.
        for (var i = 0; i < 100 && IsKept(); i++)
            await Task.Delay(50);

        Assert.False(IsKept());
        Assert.Equal("still there", await SayAsync(client, "still there"));

        [MethodImpl(MethodImplOptions.NoInlining)]
        bool IsKept()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
            return _request!.IsAlive;
        }
    }

    [Fact]
    public async Task The_endpoint_goes_on_after_the_servers_request_and_nothing_flows_from_that()
    {
        _serve = async context =>
        {
            await context.WebSockets.AcceptWebSocketAsync();
            _ended.SetResult($"{(_requestEnded.Task.IsCompleted ? "after" : "before")}, {_flowing.Value ?? "nothing"}");
        };

        using var client = await ConnectAsync();

        Assert.Equal("after, nothing", await _ended.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task What_came_with_the_request_is_not_lost()
    {
        _serve = EchoAsync;
        using var client = new TcpClient();
        await client.ConnectAsync(Address.Host, Address.Port);
        byte[] masked = [0x81, 0x82, 0, 0, 0, 0, (byte)'h', (byte)'i'];

        await client.Client.SendAsync((byte[])
        [
            .. Encoding.ASCII.GetBytes($"GET /a-room HTTP/1.1\r\nHost: {Address.Authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
            .. masked,
        ]);

        byte[] answer = [0x81, 0x02, (byte)'h', (byte)'i'];
        var received = new byte[4096];
        var length = 0;
        while (!received.AsSpan(0, length).EndsWith(answer))
            length += await client.Client.ReceiveAsync(received.AsMemory(length)).AsTask().WaitAsync(Patience);
        Assert.StartsWith("HTTP/1.1 101 ", Encoding.ASCII.GetString(received), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_asked_can_still_be_asked_for()
    {
        _serve = async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await _requestEnded.Task;
            await Task.Delay(50);
            var request = context.Request;
            await SendAsync(socket, string.Join(
                ' ',
                request.Method, request.Path, request.QueryString, request.RouteValues["room"], request.Headers["X-Own"],
                context.User.FindFirst("sub")!.Value, context.Items["item"], context.Connection.RemoteIpAddress,
                context.GetEndpoint()!.Metadata.GetMetadata<string>(), context.Response.HasStarted, context.Response.StatusCode,
                context.WebSockets.IsWebSocketRequest, request.Headers.ContainsKey("Sec-WebSocket-Key")));
        };

        using var client = await ConnectAsync();

        Assert.Equal(
            "GET /a-room ?session=s a-room own ada kept 127.0.0.1 of the endpoint True 101 True False", await ReceiveAsync(client));
    }

    [Fact]
    public async Task Services_are_there_and_are_disposed_of_at_the_end()
    {
        Scoped? scoped = null;
        _serve = async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await _requestEnded.Task;
            scoped = context.RequestServices.GetRequiredService<Scoped>();
            await SendAsync(socket, scoped.IsDisposed.Task.IsCompleted ? "disposed" : "there");
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, default);
        };
        using var client = await ConnectAsync();

        Assert.Equal("there", await ReceiveAsync(client));
        await scoped!.IsDisposed.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task Without_an_upgrade_the_request_is_answered_as_always()
    {
        _serve = context =>
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            context.Response.Headers["X-Why"] = "because";
            return context.Response.WriteAsync("no");
        };
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, Address.ToString().Replace("ws", "http", StringComparison.Ordinal));
        foreach (var (name, value) in new Dictionary<string, string>
        {
            ["Connection"] = "Upgrade",
            ["Upgrade"] = "websocket",
            ["Sec-WebSocket-Version"] = "13",
            ["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ==",
        })
        {
            request.Headers.Add(name, value);
        }

        using var answer = await http.SendAsync(request);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal(["because"], answer.Headers.GetValues("X-Why"));
        Assert.Equal("no", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_failure_before_the_upgrade_fails_the_request()
    {
        _serve = _ => throw new InvalidOperationException("broken before");

        var refused = await Assert.ThrowsAsync<WebSocketException>(ConnectAsync);

        Assert.Contains("500", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_after_it_ends_the_connection_and_is_logged()
    {
        _serve = async context =>
        {
            await context.WebSockets.AcceptWebSocketAsync();
            await _requestEnded.Task;
            throw new InvalidOperationException("broken after");
        };
        using var client = await ConnectAsync();

        await Assert.ThrowsAsync<WebSocketException>(() => ReceiveAsync(client));
        Assert.Contains(_log, line => line.Contains("broken after", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_client_that_goes_cancels_what_the_request_would()
    {
        _serve = async context =>
        {
            await context.WebSockets.AcceptWebSocketAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => _ended.SetResult("gone"), TaskScheduler.Default);
        };
        using var client = await ConnectAsync();
        await _requestEnded.Task.WaitAsync(Patience);

        client.Abort();

        Assert.Equal("gone", await _ended.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task Aborted_by_the_endpoint_the_connection_ends()
    {
        _serve = async context =>
        {
            await context.WebSockets.AcceptWebSocketAsync();
            await _requestEnded.Task;
            context.Abort();
            await _ended.Task;
        };
        using var client = await ConnectAsync();

        await Assert.ThrowsAsync<WebSocketException>(() => ReceiveAsync(client));
        _ended.SetResult("");
    }

    [Fact]
    public async Task A_session_goes_on_without_the_endpoint()
    {
        _serve = async context =>
        {
            var socket = await context.WebSockets.AcceptWebSocketAsync();
            await context.GoOnAsync(EchoAsync(socket));
            _ended.SetResult("endpoint");
        };
        using var client = await ConnectAsync();

        await _ended.Task.WaitAsync(Patience);

        Assert.Equal("on", await SayAsync(client, "on"));
    }

    private static async Task EchoAsync(HttpContext context) => await EchoAsync(await context.WebSockets.AcceptWebSocketAsync());

    private static async Task EchoAsync(WebSocket socket)
    {
        while (await ReceiveAsync(socket) is { } text)
            await SendAsync(socket, text);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, default);
        socket.Dispose();
    }

    private static async Task<string> SayAsync(WebSocket socket, string text)
    {
        await SendAsync(socket, text);
        return await ReceiveAsync(socket) ?? "";
    }

    private static Task SendAsync(WebSocket socket, string text) => socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, default);

    private static async Task<string?> ReceiveAsync(WebSocket socket)
    {
        using var timeout = new CancellationTokenSource(Patience);
        var (buffer, length) = (new byte[100_000], 0);
        while (true)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(length), timeout.Token);
            if (read.MessageType is WebSocketMessageType.Close)
                return null;
            length += read.Count;
            if (read.EndOfMessage)
                return Encoding.UTF8.GetString(buffer, 0, length);
        }
    }

    private async Task<ClientWebSocket> ConnectAsync()
    {
        var client = new ClientWebSocket();
        client.Options.SetRequestHeader("X-Own", "own");
        await client.ConnectAsync(Address, default);
        return client;
    }

    private sealed class Scoped : IDisposable
    {
        public TaskCompletionSource IsDisposed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Dispose() => IsDisposed.TrySetResult();
    }

    private sealed class Records(ConcurrentQueue<string> log) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log.Enqueue($"{logLevel} {formatter(state, exception)} {exception?.Message}");

        public void Dispose()
        {
        }
    }
}
