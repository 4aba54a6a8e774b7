using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Collab.Protocol;
using Collab.Server.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Collab.Server.Limits;

/// <summary>How many connections users and addresses hold open on this server.</summary>
internal sealed class ConnectionCounts(IOptions<LimitOptions> options)
{
    private const string OfUser = "you have too many connections open";
    private const string OfAddress = "too many connections are open from your network";

    private readonly ConcurrentDictionary<string, int> _users = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _addresses = new(StringComparer.Ordinal);

    /// <summary>Whether the caller of a request may open one more connection now.</summary>
    /// <exception cref="CollabException"><c>too_many</c>: he may not.</exception>
    public void Check(HttpContext context)
    {
        var (user, address) = KeysOf(context);
        if (user is not null && _users.GetValueOrDefault(user) >= options.Value.ConnectionsPerUser)
            throw TooMany(OfUser);
        if (address is not null && _addresses.GetValueOrDefault(address) >= options.Value.ConnectionsPerAddress)
            throw TooMany(OfAddress);
    }

    /// <summary>Counts a connection of the caller of a request until it is disposed of.</summary>
    /// <returns>Null when nothing needs to be counted.</returns>
    /// <exception cref="CollabException"><c>too_many</c>: there are too many already.</exception>
    public IDisposable? Hold(HttpContext context) => TryHold(context, out var held) is { } refusal ? throw refusal : held;

    /// <summary>Counts a connection of the caller of a request until <paramref name="held"/> is disposed of.</summary>
    /// <returns>Null, or why it is refused.</returns>
    public CollabException? TryHold(HttpContext context, out IDisposable? held)
    {
        held = null;
        var (user, address) = KeysOf(context);
        if (user is not null && !TryAdd(_users, user, options.Value.ConnectionsPerUser))
            return TooMany(OfUser);
        if (address is not null && !TryAdd(_addresses, address, options.Value.ConnectionsPerAddress))
        {
            if (user is not null)
                Remove(_users, user);
            return TooMany(OfAddress);
        }

        if (user is not null || address is not null)
            held = new Held(this, user, address);
        return null;
    }

    // Null for what is not limited.
    private (string? User, string? Address) KeysOf(HttpContext context) => (
        options.Value.ConnectionsPerUser > 0 ? SubjectUserIdProvider.IdOf(context.User) : null,
        options.Value.ConnectionsPerAddress > 0 && context.Connection.RemoteIpAddress is { } address && !IPAddress.IsLoopback(address)
            ? NetworkOf(address)
            : null);

    /// <summary>An address; of IPv6 the network, as one customer has many addresses in it.</summary>
    private static string NetworkOf(IPAddress address) =>
        address.IsIPv4MappedToIPv6 ? address.MapToIPv4().ToString()
        : address.AddressFamily is AddressFamily.InterNetworkV6 ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8))
        : address.ToString();

    private static bool TryAdd(ConcurrentDictionary<string, int> counts, string key, int most)
    {
        while (true)
        {
            var count = counts.GetOrAdd(key, 0);
            if (count >= most)
                return false;
            if (counts.TryUpdate(key, count + 1, count))
                return true;
        }
    }

    private static void Remove(ConcurrentDictionary<string, int> counts, string key)
    {
        counts.AddOrUpdate(key, 0, static (_, count) => count - 1);
        counts.TryRemove(KeyValuePair.Create(key, 0));
    }

    private static CollabException TooMany(string sentence) => new(ErrorCodes.TooMany, sentence);

    private sealed class Held(ConnectionCounts counts, string? user, string? address) : IDisposable
    {
        private int _released;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _released, 1) != 0)
                return;
            if (user is not null)
                Remove(counts._users, user);
            if (address is not null)
                Remove(counts._addresses, address);
        }
    }
}
