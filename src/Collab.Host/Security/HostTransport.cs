using System.Net;
using Collab.Server;
using Microsoft.AspNetCore.HttpOverrides;

namespace Collab.Host.Security;

/// <summary>
/// How requests get here: through which proxies (<c>Collab:Proxies</c>), and whether only over https (<c>Collab:Https</c>).
/// </summary>
internal static class HostTransport
{
    private const string Proxies = "Collab:Proxies:KnownProxies";
    private const string Networks = "Collab:Proxies:KnownNetworks";
    private const string Required = "Collab:Https:Required";
    private const string Port = "Collab:Https:Port";
    private const int DefaultPort = 443;

    /// <summary>How long a caller may take to say what he wants: who drips holds a connection.</summary>
    private static readonly TimeSpan RequestHeadersTimeout = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan HstsMaxAge = TimeSpan.FromDays(365);

    /// <exception cref="InvalidOperationException">A setting is wrong; the message says which.</exception>
    public static void AddCollabTransport(this WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.RequestHeadersTimeout = RequestHeadersTimeout;
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.UseSocketOutput());
        });

        var configuration = builder.Configuration;
        IPAddress[] proxies = [.. ValuesOf(configuration, Proxies).Select(text =>
            IPAddress.TryParse(text, out var address)
                ? address
                : throw new InvalidOperationException($"{Proxies} must be IP addresses such as 10.0.0.1; '{text}' is none."))];
        System.Net.IPNetwork[] networks = [.. ValuesOf(configuration, Networks).Select(text =>
            System.Net.IPNetwork.TryParse(text, out var network)
                ? network
                : throw new InvalidOperationException($"{Networks} must be networks such as 10.0.0.0/8; '{text}' is none."))];
        builder.Services.Configure<ForwardedHeadersOptions>(options =>
        {
            options.KnownProxies.Clear();
            options.KnownIPNetworks.Clear();
            foreach (var proxy in proxies)
                options.KnownProxies.Add(proxy);
            foreach (var network in networks)
                options.KnownIPNetworks.Add(network);
            // The name is not taken from a header: proxies pass on what the caller says of it.
            options.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
            // As many proxies as are known, one behind the other.
            options.ForwardLimit = null;
        });

        var port = configuration.GetValue(Port, DefaultPort);
        if (port is < 1 or > 65_535)
            throw new InvalidOperationException($"{Port} must be 1 to 65535.");
        builder.Services.AddHsts(options => options.MaxAge = HstsMaxAge);
        builder.Services.AddHttpsRedirection(options => options.HttpsPort = port);
    }

    /// <summary>Before everything that asks where a request comes from.</summary>
    public static void UseCollabTransport(this WebApplication app)
    {
        if (ValuesOf(app.Configuration, Proxies).Length + ValuesOf(app.Configuration, Networks).Length > 0)
            app.UseForwardedHeaders();
        app.UseMiddleware<PlainTokenWarning>();
        if (!app.Configuration.GetValue<bool>(Required))
            return;
        // Who watches over the server asks it directly, without TLS.
        app.UseWhen(context => !context.Request.Path.StartsWithSegments("/health"), secured =>
        {
            secured.UseHsts();
            secured.UseHttpsRedirection();
        });
    }

    private static string[] ValuesOf(IConfiguration configuration, string key) =>
        [.. configuration.GetSection(key).GetChildren().Select(setting => setting.Value).OfType<string>().Where(value => value.Length > 0)];
}
