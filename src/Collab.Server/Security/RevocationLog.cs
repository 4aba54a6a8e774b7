using System.Text.Json;
using Collab.Protocol;
using Collab.Server.Nodes;
using Collab.Server.Rooms;
using MessagePack;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Collab.Server.Security;

/// <summary>
/// Keeps revocations in a log like any other, so that they hold after a restart, and makes them hold on this node. No room is
/// open to anybody before they are read.
/// </summary>
internal sealed partial class RevocationLog(
    IRoomLog log,
    Revocations revocations,
    Connections connections,
    NodeBus bus,
    IOptions<SecurityOptions> options,
    TimeProvider clock,
    ILogger<RevocationLog> logger)
    : BackgroundService, INodeListener
{
    // The group in which nodes say that something was revoked.
    private const string Group = "revocations";
    private const int Added = 1;

    private const int PageEntries = 1000;
    private const long PageBytes = 1024 * 1024;

    private static readonly RoomKey Room = new(RoomKind.System, "revocations");
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ReadInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan TrimInterval = TimeSpan.FromHours(1);

    private readonly SemaphoreSlim _news = new(0);
    private long _read;

    /// <summary>Takes access away, for good: it is durable when this returns, and holds on this node.</summary>
    /// <param name="revocation">What is taken from whom.</param>
    /// <param name="author">The id of the user who does it.</param>
    /// <exception cref="RoomLogUnavailableException">It cannot be kept now. It does not hold.</exception>
    public async Task AddAsync(Revocation revocation, string? author)
    {
        var entry = new NewLogEntry(JsonSerializer.SerializeToUtf8Bytes(revocation, JsonSerializerOptions.Web), author);
        // Who has been told that access was taken must not find it given: nothing interrupts this.
        await log.AppendAsync(Room, [entry], CancellationToken.None);
        revocations.Add(revocation);
        Revoked(logger, revocation.User is not null, revocation.Session is not null, revocation.Document is not null, revocation.Channel is not null);
        bus.Say(Group, Added, static (ref _) => { });
        await connections.ReviewAllAsync();
    }

    /// <summary>Reads what was revoked before the server listens, if the store lets it.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await TryReadAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (!revocations.AreKnown)
            {
                await Task.Delay(RetryInterval, clock, stoppingToken);
                await TryReadAsync(stoppingToken);
                if (revocations.AreKnown)
                    await connections.ReviewAllAsync();
            }

            bus.Join(Group, this);
            var trimmed = clock.GetTimestamp();
            await TryTrimAsync(stoppingToken);
            while (true)
            {
                // The others say when there is something; what they say may be lost.
                await _news.WaitAsync(bus.IsShared ? ReadInterval : TrimInterval, stoppingToken);
                if (bus.IsShared && await TryReadAsync(stoppingToken))
                    await connections.ReviewAllAsync();
                if (clock.GetElapsedTime(trimmed) < TrimInterval)
                    continue;
                trimmed = clock.GetTimestamp();
                await TryTrimAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
    }

    void INodeListener.Receive(string node, int kind, ref MessagePackReader body) => Hurry();

    void INodeListener.Joined() => Hurry();

    void INodeListener.Lost(string node)
    {
        // What it revoked stays so.
    }

    private void Hurry()
    {
        if (_news.CurrentCount == 0)
            _news.Release();
    }

    /// <summary>Reads what is not known yet.</summary>
    /// <returns>Whether there was something.</returns>
    private async Task<bool> TryReadAsync(CancellationToken cancellationToken)
    {
        var before = _read;
        try
        {
            LogPage page;
            do
            {
                page = await log.ReadAsync(Room, _read, PageEntries, PageBytes, cancellationToken);
                foreach (var entry in page.Entries)
                    revocations.Add(JsonSerializer.Deserialize<Revocation>(entry.Data.Span, JsonSerializerOptions.Web)!);
                _read = page.ReachedFrom(_read);
            }
            while (_read < page.Head);
            revocations.AreKnown = true;
        }
        catch (RoomLogUnavailableException exception) when (!revocations.AreKnown)
        {
            ReadFailed(logger, exception);
        }
        catch (RoomLogUnavailableException)
        {
            // It is tried again soon; what else needs the store says that it is away.
        }

        return _read > before;
    }

    private async Task TryTrimAsync(CancellationToken stoppingToken)
    {
        var age = TimeSpan.FromDays(options.Value.RevocationDays);
        revocations.Forget((clock.GetUtcNow() - age).ToUnixTimeMilliseconds());
        try
        {
            while (await log.TrimAsync(Room, new LogRetention(long.MaxValue, long.MaxValue, age), stoppingToken) == LogRetention.MaxTrim)
                continue;
        }
        catch (RoomLogUnavailableException exception)
        {
            TrimFailed(logger, exception);
        }
    }

    [LoggerMessage(110, LogLevel.Information, "Access was revoked (user {OfUser}, session {OfSession}, document {OfDocument}, channel {OfChannel})")]
    private static partial void Revoked(ILogger logger, bool ofUser, bool ofSession, bool ofDocument, bool ofChannel);

    [LoggerMessage(111, LogLevel.Error, "Revocations cannot be read; no room is open to anybody until they are")]
    private static partial void ReadFailed(ILogger logger, Exception exception);

    [LoggerMessage(112, LogLevel.Warning, "Revocations that are too old could not be taken away; it is tried again")]
    private static partial void TrimFailed(ILogger logger, Exception exception);
}
