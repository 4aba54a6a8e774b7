using System.Net;
using System.Net.Sockets;

namespace Collab.Webhooks;

/// <summary>
/// Connects only to addresses that everybody can reach, or that are allowed. What a name resolves to is checked and then connected to itself, so a
/// name that resolves to something else the second time gains nothing.
/// </summary>
internal sealed class PublicAddresses(IEnumerable<IPNetwork> allowed)
{
    // Special-purpose addresses: iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry.
    private static readonly IPNetwork[] Special =
    [
        IPNetwork.Parse("0.0.0.0/8"), IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("100.64.0.0/10"), IPNetwork.Parse("127.0.0.0/8"),
        IPNetwork.Parse("169.254.0.0/16"), IPNetwork.Parse("172.16.0.0/12"), IPNetwork.Parse("192.0.0.0/24"), IPNetwork.Parse("192.0.2.0/24"),
        IPNetwork.Parse("192.88.99.0/24"), IPNetwork.Parse("192.168.0.0/16"), IPNetwork.Parse("198.18.0.0/15"), IPNetwork.Parse("198.51.100.0/24"),
        IPNetwork.Parse("203.0.113.0/24"), IPNetwork.Parse("224.0.0.0/4"), IPNetwork.Parse("240.0.0.0/4"),
        IPNetwork.Parse("2001::/23"), IPNetwork.Parse("2001:db8::/32"), IPNetwork.Parse("2002::/16"), IPNetwork.Parse("3fff::/20"),
    ];

    // All that is assigned for everybody to reach lies here.
    private static readonly IPNetwork GlobalIPv6 = IPNetwork.Parse("2000::/3");

    private readonly IPNetwork[] _allowed = [.. allowed];

    /// <summary>For <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    /// <exception cref="HttpRequestException">No address that may be connected to.</exception>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var host = context.DnsEndPoint.Host;
        var found = IPAddress.TryParse(host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, cancellationToken);
        IPAddress[] addresses = [.. found.Where(IsAllowed)];
        if (addresses.Length == 0)
            throw new HttpRequestException($"{host} is inside the network of the server; allow it with AllowedNetworks.");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, context.DnsEndPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public bool IsAllowed(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (_allowed.Any(network => network.Contains(address)))
            return true;
        return (address.AddressFamily == AddressFamily.InterNetwork || GlobalIPv6.Contains(address)) && !Special.Any(network => network.Contains(address));
    }
}
