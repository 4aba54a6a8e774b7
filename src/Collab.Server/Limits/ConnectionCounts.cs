using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Collab.Protocol;
using Collab.Server.Nodes;
using Collab.Server.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Collab.Server.Limits;

/// <summary>How many connections users and addresses hold open, on this node and, as far as they could say it, on the others.</summary>
internal sealed class ConnectionCounts(
    IOptions<LimitOptions> options, ISharedCounts shared, NodeDirectory nodes, TimeProvider clock)
    : IHostedService, IDisposable
{
    private const string OfUser = "you have too many connections open";
    private const string OfAddress = "too many connections are open from your network";
    private const string UserPrefix = "user:";
    private const string AddressPrefix = "address:";

    private static readonly TimeSpan KeepInterval = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    // By what is counted, with its prefix.
    private readonly ConcurrentDictionary<string, int> _counts = new(StringComparer.Ordinal);
    private ITimer? _keeping;

    /// <summary>Whether the caller of a request may open one more connection to this node now.</summary>
    /// <exception cref="CollabException"><c>too_many</c>: he may not.</exception>
    public void Check(HttpContext context)
    {
        var (user, address) = KeysOf(context);
        if (user is not null && _counts.GetValueOrDefault(user) >= options.Value.ConnectionsPerUser)
            throw TooMany(OfUser);
        if (address is not null && _counts.GetValueOrDefault(address) >= options.Value.ConnectionsPerAddress)
            throw TooMany(OfAddress);
    }

    /// <summary>Counts a connection of the caller of a request until it is disposed of.</summary>
    /// <returns>Null when nothing needs to be counted.</returns>
    /// <exception cref="CollabException"><c>too_many</c>: there are too many already.</exception>
    public async ValueTask<IDisposable?> HoldAsync(HttpContext context)
    {
        var (refusal, held) = await TryHoldAsync(context);
        return refusal is null ? held : throw refusal;
    }

    /// <summary>Counts a connection of the caller of a request until it is disposed of.</summary>
    /// <returns>Why it is refused, or what is to be disposed of; neither when nothing needs to be counted.</returns>
    public async ValueTask<(CollabException? Refusal, IDisposable? Held)> TryHoldAsync(HttpContext context)
    {
        var (user, address) = KeysOf(context);
        if (user is not null && !await TryAddAsync(user, options.Value.ConnectionsPerUser))
            return (TooMany(OfUser), null);
        if (address is not null && !await TryAddAsync(address, options.Value.ConnectionsPerAddress))
        {
            if (user is not null)
                Remove(user);
            return (TooMany(OfAddress), null);
        }

        return (null, user is null && address is null ? null : new Held(this, user, address));
    }

    Task IHostedService.StartAsync(CancellationToken cancellationToken)
    {
        _keeping = clock.CreateTimer(_ => _ = shared.KeepAsync(nodes.Id, () => _counts), null, KeepInterval, KeepInterval);
        return Task.CompletedTask;
    }

    Task IHostedService.StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _keeping?.Dispose();
        _keeping = null;
    }

    // Null for what is not limited.
    private (string? User, string? Address) KeysOf(HttpContext context) => (
        options.Value.ConnectionsPerUser > 0 && SubjectUserIdProvider.IdOf(context.User) is { } user ? UserPrefix + user : null,
        options.Value.ConnectionsPerAddress > 0 && context.Connection.RemoteIpAddress is { } address && !IPAddress.IsLoopback(address)
            ? AddressPrefix + NetworkOf(address)
            : null);

    /// <summary>An address; of IPv6 the network, as one customer has many addresses in it.</summary>
    private static string NetworkOf(IPAddress address) =>
        address.IsIPv4MappedToIPv6 ? address.MapToIPv4().ToString()
        : address.AddressFamily is AddressFamily.InterNetworkV6 ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8))
        : address.ToString();

    private async ValueTask<bool> TryAddAsync(string key, int most)
    {
        if (!TryAdd(key, most))
            return false;
        // Said before it is asked: of two who take the last place on two nodes neither is let in, rather than both.
        if (nodes.Ids() is not { Count: > 0 } others || _counts.GetValueOrDefault(key) + await shared.SumAsync(others, key) <= most)
            return true;
        Remove(key);
        return false;
    }

    private bool TryAdd(string key, int most)
    {
        // What is said of a key must leave in the order in which it was so.
        lock (_gate)
        {
            var count = _counts.GetValueOrDefault(key) + 1;
            if (count > most)
                return false;
            _counts[key] = count;
            shared.Put(nodes.Id, key, count);
            return true;
        }
    }

    private void Remove(string key)
    {
        lock (_gate)
        {
            var left = _counts[key] - 1;
            if (left == 0)
                _counts.TryRemove(key, out _);
            else
                _counts[key] = left;
            shared.Put(nodes.Id, key, left);
        }
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
                counts.Remove(user);
            if (address is not null)
                counts.Remove(address);
        }
    }
}
