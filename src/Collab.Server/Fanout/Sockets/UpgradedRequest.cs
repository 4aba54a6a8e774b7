using System.Net;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Features.Authentication;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace Collab.Server.Fanout.Sockets;

/// <summary>
/// A request that goes on without the server's HTTP once it is upgraded. As long as a request runs, the server keeps its parser, headers and scope and
/// every middleware waits, as much as all else that is kept for a client who only listens. So the endpoint is served with a context of its own:
/// until the upgrade a view of the server's, from then on a copy of what may still be asked of it.
/// </summary>
internal sealed class UpgradedRequest : IHttpUpgradeFeature, IHttpExtendedConnectFeature, IServiceProvidersFeature, IHttpConnectionFeature, IEndpointFeature
{
    // What only the handshake is about.
    private static readonly string[] OfHandshake =
    [
        HeaderNames.Connection, HeaderNames.Upgrade, HeaderNames.SecWebSocketKey, HeaderNames.SecWebSocketVersion, HeaderNames.SecWebSocketExtensions,
    ];

    private readonly SocketDuplex _connection;
    private readonly IServiceScopeFactory _scopes;
    private readonly UpgradedFeatures _features;
    private readonly TaskCompletionSource _upgraded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private HttpContext? _request;
    private HttpContext? _context;
    private Task? _session;
    private IServiceScope? _scope;
    private IServiceProvider? _services;

    private UpgradedRequest(HttpContext request, SocketDuplex connection)
    {
        (_request, _connection) = (request, connection);
        _scopes = request.RequestServices.GetRequiredService<IServiceScopeFactory>();
        _features = new UpgradedFeatures(request.Features);
        _features.Set(this);
        _features.Set<IHttpUpgradeFeature>(this);
        // Kestrel's own are its whole connection, and would be remembered: by SignalR and by the WebSocket middleware.
        _features.Set<IHttpConnectionFeature>(this);
        _features.Set<IHttpExtendedConnectFeature>(this);
        (ConnectionId, LocalPort, RemotePort) = (request.Connection.Id, request.Connection.LocalPort, request.Connection.RemotePort);
        (LocalIpAddress, RemoteIpAddress) = (request.Connection.LocalIpAddress, request.Connection.RemoteIpAddress);
    }

    public Endpoint? Endpoint { get; set; }

    public bool IsUpgradableRequest => true;

    bool IHttpExtendedConnectFeature.IsExtendedConnect => false;

    string? IHttpExtendedConnectFeature.Protocol => null;

    public string ConnectionId { get; set; }

    public IPAddress? LocalIpAddress { get; set; }

    public int LocalPort { get; set; }

    public IPAddress? RemoteIpAddress { get; set; }

    public int RemotePort { get; set; }

    public IServiceProvider RequestServices
    {
        get => _services ??= (_scope = _scopes.CreateScope()).ServiceProvider;
        set => _services = value;
    }

    /// <summary>Serves the request. Ends when the endpoint has, or when it has upgraded and goes on alone.</summary>
    /// <param name="request">The server's request, which can be upgraded.</param>
    /// <param name="connection">Its connection, on which nothing stands between HTTP and the socket.</param>
    /// <param name="endpoint">The endpoint.</param>
    public static async Task ServeAsync(HttpContext request, SocketDuplex connection, RequestDelegate endpoint)
    {
        var upgraded = new UpgradedRequest(request, connection);
        var contexts = request.RequestServices.GetRequiredService<IHttpContextFactory>();
        // What flows with the server's request, such as scopes of the log, would hold it.
        Task serving;
        using (ExecutionContext.SuppressFlow())
            serving = Task.Run(() => upgraded.RunAsync(contexts, endpoint)).Unwrap();
        if (await Task.WhenAny(serving, upgraded._upgraded.Task) == serving)
            await serving;
        else
            connection.TakeOver(serving);
    }

    /// <summary>Goes on with a session that needs nothing of the request any more.</summary>
    public void GoOn(Task session) => _session = session;

    /// <summary>Upgrades the request, and waits until the server's HTTP has ended.</summary>
    /// <returns>What comes over the connection. It is not written to.</returns>
    public async Task<Stream> UpgradeAsync()
    {
        var request = _request ?? throw new InvalidOperationException("The request was upgraded already.");
        _request = null;
        await request.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
        Keep(request);
        _upgraded.SetResult();
        await _connection.HttpEnded;
        return _connection.Input.AsStream(leaveOpen: true);
    }

    ValueTask<Stream> IHttpExtendedConnectFeature.AcceptAsync() => throw new InvalidOperationException("This is a request of HTTP/1.1.");

    /// <returns>What goes on when the endpoint has ended.</returns>
    private async Task<Task> RunAsync(IHttpContextFactory contexts, RequestDelegate endpoint)
    {
        _context = contexts.Create(_features);
        try
        {
            await endpoint(_context);
        }
        finally
        {
            contexts.Dispose(_context);
            if (_scope is IAsyncDisposable scope)
                await scope.DisposeAsync();
        }

        return _session ?? Task.CompletedTask;
    }

    /// <summary>Copies what may still be asked of the request.</summary>
    private void Keep(HttpContext request)
    {
        var asked = request.Features.GetRequiredFeature<IHttpRequestFeature>();
        var headers = new HeaderDictionary();
        foreach (var (name, value) in asked.Headers)
        {
            if (!OfHandshake.Contains(name, StringComparer.OrdinalIgnoreCase))
                headers[name] = value;
        }

        _features.Set<IHttpRequestFeature>(new HttpRequestFeature
        {
            Protocol = asked.Protocol,
            Scheme = asked.Scheme,
            Method = asked.Method,
            PathBase = asked.PathBase,
            Path = asked.Path,
            QueryString = asked.QueryString,
            RawTarget = asked.RawTarget,
            Headers = headers,
            Body = Stream.Null,
        });
        _features.Set<IHttpResponseFeature>(SwitchedProtocols.Response);
        _features.Set(SwitchedProtocols.ResponseBody);
        _features.Set<IHttpRequestLifetimeFeature>(new Lifetime(_connection.Connection));
        _features.Set<IServiceProvidersFeature>(this);
        Endpoint = request.GetEndpoint();
        _features.Set<IEndpointFeature>(this);
        _features.Set<IRouteValuesFeature>(new RouteValuesFeature { RouteValues = new RouteValueDictionary(request.Request.RouteValues) });
        _features.Set(request.Features.Get<IHttpAuthenticationFeature>());
        _features.Set(request.Features.Get<IAuthenticateResultFeature>());
        _features.Set(request.Features.Get<IItemsFeature>());
        _features.LetGo();
        // What a context remembers of former features it forgets when it is asked the next time.
        _ = (_context!.RequestAborted, _context.Request.Method, _context.Response.HasStarted, _context.Connection.Id);
    }

    /// <summary>The request lasts as long as its connection.</summary>
    private sealed class Lifetime(ConnectionContext connection) : IHttpRequestLifetimeFeature
    {
        public CancellationToken RequestAborted { get; set; } = connection.ConnectionClosed;

        public void Abort() => connection.Abort();
    }
}

/// <summary>What an endpoint says of the rest of an upgraded request.</summary>
internal static class UpgradedRequestExtensions
{
    /// <summary>Ends the request as soon as that is possible: what goes on over its connection needs nothing of it any more.</summary>
    /// <param name="request">The request, which was upgraded.</param>
    /// <param name="session">What goes on.</param>
    public static Task GoOnAsync(this HttpContext request, Task session)
    {
        if (request.Features.Get<UpgradedRequest>() is not { } upgraded)
            return session;
        upgraded.GoOn(session);
        return Task.CompletedTask;
    }
}
