using Collab.Protocol;
using Collab.Server.Channels;
using Collab.Server.Documents;
using Collab.Server.Rooms;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Collab.Server.Nodes;

/// <summary>
/// Asks the store now and then how far the logs of the open rooms go, and at once when the backplane is back: what other nodes have
/// written and this one was not told is read from there.
/// </summary>
internal sealed class RoomHealing(
    NodeBus bus,
    DocumentRooms documents,
    ChannelRooms channels,
    IRoomLog log,
    NodeMetrics metrics,
    IOptions<NodeOptions> options,
    ILogger<RoomHealing> logger)
    : BackgroundService
{
    private const int RoomsAtOnce = 1_000;

    private readonly SemaphoreSlim _hurry = new(0, 1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!bus.IsShared)
            return;
        bus.Restored += Hurry;
        try
        {
            while (true)
            {
                await HealAsync(stoppingToken);
                await _hurry.WaitAsync(TimeSpan.FromMilliseconds(options.Value.HealMilliseconds), stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
        finally
        {
            bus.Restored -= Hurry;
        }
    }

    public override void Dispose()
    {
        _hurry.Dispose();
        base.Dispose();
    }

    private void Hurry()
    {
        try
        {
            _hurry.Release();
        }
        catch (SemaphoreFullException)
        {
            // It hurries already.
        }
    }

    private async Task HealAsync(CancellationToken cancellationToken)
    {
        var behind = 0;
        try
        {
            var rooms = documents.Open().Select(room => (room.Key, NoteHead: (Func<Position, bool>)room.NoteHead))
                .Concat(channels.Open().Select(room => (room.Key, NoteHead: (Func<Position, bool>)room.NoteHead)));
            foreach (var some in rooms.Chunk(RoomsAtOnce))
            {
                var heads = await log.ReadHeadsAsync([.. some.Select(room => room.Key)], cancellationToken);
                for (var i = 0; i < some.Length; i++)
                    behind += some[i].NoteHead(heads[i]) ? 1 : 0;
            }
        }
        catch (RoomLogUnavailableException exception)
        {
            NodeLog.HeadsUnavailable(logger, exception);
        }

        if (behind == 0)
            return;
        metrics.Healed(behind);
        NodeLog.Healed(logger, behind);
    }
}
