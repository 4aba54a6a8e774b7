using System.Security.Cryptography;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace Collab.Redis;

/// <summary>
/// The secret by which nodes know each other. It is made by the first node and kept in Redis; should that lose it, the nodes put it there
/// again.
/// </summary>
internal sealed class NodeSecret(SharedRedis redis, TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private byte[] _current = RandomNumberGenerator.GetBytes(32);
    private byte[]? _former;

    /// <summary>Proves that a text is of a node.</summary>
    public byte[] Sign(ReadOnlySpan<byte> text) => HMACSHA256.HashData(Volatile.Read(ref _current), text);

    /// <summary>Whether a text is of a node.</summary>
    public bool Verifies(ReadOnlySpan<byte> text, ReadOnlySpan<byte> signature) =>
        CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(Volatile.Read(ref _current), text), signature)
        || (Volatile.Read(ref _former) is { } former && CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(former, text), signature));

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await ShareAsync();
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await ShareAsync();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    private async Task ShareAsync()
    {
        if (!redis.IsConnected)
            return;
        try
        {
            var database = (await redis.ConnectionAsync()).GetDatabase();
            var name = $"{redis.Prefix}:node-secret";
            await database.StringSetAsync(name, _current, when: When.NotExists);
            if ((byte[]?)await database.StringGetAsync(name) is not { } shared || shared.AsSpan().SequenceEqual(_current))
                return;
            // Others may go on with the former one for a moment.
            Volatile.Write(ref _former, _current);
            Volatile.Write(ref _current, shared);
        }
        catch (Exception exception) when (SharedRedis.IsAway(exception))
        {
            // It is tried again.
        }
    }
}
