using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Text;
using Collab.Server.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Yarp.ReverseProxy.Forwarder;

namespace Collab.Redis;

/// <summary>
/// Passes requests on to other nodes with YARP. A header says where the caller is and by which scheme he came, and proves by the nodes'
/// secret that a node says so.
/// </summary>
internal sealed class NodeForwarder(IHttpForwarder forwarder, NodeSecret secret, TimeProvider clock) : INodeForwarder, IDisposable
{
    private const string Header = "X-Collab-Node";
    private const char Separator = '|';

    // As far as the clocks of nodes may be apart.
    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(5);

    private static readonly ForwarderRequestConfig Config = new()
    {
        Version = HttpVersion.Version11,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = TimeSpan.FromSeconds(2),
    });

    public bool IsForwarded(HttpContext context)
    {
        var given = context.Request.Headers[Header].ToString();
        context.Request.Headers.Remove(Header);
        if (given.LastIndexOf(Separator) is not (> 0 and var end))
            return false;
        var said = given[..end];
        if (said.Split(Separator) is not [var time, var address, var scheme]
            || !long.TryParse(time, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || (clock.GetUtcNow() - DateTimeOffset.FromUnixTimeSeconds(seconds)).Duration() > MaxAge
            || !secret.Verifies(TextOf(said, context.Request), SignatureOf(given[(end + 1)..])))
        {
            return false;
        }

        context.Connection.RemoteIpAddress = IPAddress.TryParse(address, out var caller) ? caller : null;
        context.Request.Scheme = scheme;
        return true;
    }

    public async Task<bool> ForwardAsync(HttpContext context, string address)
    {
        var said = string.Join(
            Separator,
            clock.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            context.Connection.RemoteIpAddress,
            context.Request.Scheme);
        context.Request.Headers[Header] = said + Separator + Base64Url.EncodeToString(secret.Sign(TextOf(said, context.Request)));
        var error = await forwarder.SendAsync(context, address, _client, Config, KeepHost.Instance);
        if (error is ForwarderError.None || context.Response.HasStarted || context.RequestAborted.IsCancellationRequested)
            return true;
        context.Response.Clear();
        return false;
    }

    public void Dispose() => _client.Dispose();

    private static byte[] TextOf(string said, HttpRequest request) =>
        Encoding.UTF8.GetBytes($"{said}{Separator}{request.Method}{Separator}{request.GetEncodedPathAndQuery()}");

    /// <summary>The name that the caller asked for stays: a page's origin is judged by it.</summary>
    private sealed class KeepHost : HttpTransformer
    {
        public static readonly KeepHost Instance = new();

        public override async ValueTask TransformRequestAsync(
            HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            proxyRequest.Headers.Host = httpContext.Request.Host.Value;
        }
    }

    private static byte[] SignatureOf(string text)
    {
        try
        {
            return Base64Url.DecodeFromChars(text);
        }
        catch (FormatException)
        {
            return [];
        }
    }
}
