using System.Text.Json;
using Collab.Protocol;
using Collab.Server.Handlers;
using Collab.Server.Rooms;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Channels.Handlers;

/// <summary>Tells the handlers what happens to one channel. Messages wait in the log, not in memory.</summary>
internal sealed class ChannelEvents
{
    private const int PageMessages = 256;
    private const long PageBytes = 1024 * 1024;

    private readonly ChannelRoom _room;
    private readonly ChannelContext _channel;
    private readonly HandlerQueue<IChannelHandler> _queue;
    private readonly Lock _gate = new();
    // What was taken in here and not told yet: the offsets after the first, up to the second.
    private readonly Queue<(long After, long Through)> _untold = new();
    private (long After, long Through)? _last;

    public ChannelEvents(ChannelRoom room, IReadOnlyList<IChannelHandler> handlers, TimeProvider clock, ILogger logger)
    {
        _room = room;
        _channel = new ChannelContext(room.Name);
        _queue = new HandlerQueue<IChannelHandler>(
            handlers, clock, (handler, exception) => ChannelLog.HandlerFailed(logger, handler.GetType().Name, room.Name, exception));
    }

    /// <summary>Messages are durable: those after one offset, up to another.</summary>
    public void Published(long after, long through)
    {
        lock (_gate)
        {
            if (_last is { } last && last.Through == after)
            {
                // A handler that is behind is told of these together with those before.
                _last = last with { Through = through };
                return;
            }
            if (_last is { } other)
                _untold.Enqueue(other);
            _last = (after, through);
        }

        TellPage();
    }

    public void Joined(ChannelMember member) => _queue.Tell((handler, cancellationToken) => handler.JoinedAsync(_channel, Readable(member), cancellationToken));

    public void Left(ChannelMember member) => _queue.Tell((handler, cancellationToken) => handler.LeftAsync(_channel, Readable(member), cancellationToken));

    /// <summary>The channel is closed, or the server stops.</summary>
    /// <returns>Completes when the handlers know what was left to tell.</returns>
    public Task CloseAsync() => _queue.CloseAsync();

    private void TellPage()
    {
        // Read when it is its turn, once for all handlers.
        var page = new Lazy<Task<IReadOnlyList<ChannelMessage>>>(ReadPageAsync);
        _queue.Tell(async (handler, cancellationToken) =>
        {
            if (await page.Value is { Count: > 0 } messages)
                await handler.PublishedAsync(_channel, messages, cancellationToken);
        });
    }

    private async Task<IReadOnlyList<ChannelMessage>> ReadPageAsync()
    {
        (long After, long Through) range;
        lock (_gate)
        {
            if (!_untold.TryDequeue(out range))
            {
                if (_last is not { } last)
                    return [];
                (range, _last) = (last, null);
            }
        }

        var read = await _room.ReadLogAsync(range.After, PageMessages, PageBytes, CancellationToken.None);
        var messages = read.TakeWhile(message => message.Offset <= range.Through).ToArray();
        // What is not there any more was too old.
        var reached = messages.Length > 0 ? messages[^1].Offset : range.Through;
        if (reached < range.Through)
            TellRest(reached, range.Through);
        return [.. messages.Select(message => Readable(message.Message))];
    }

    private void TellRest(long after, long through)
    {
        lock (_gate)
        {
            // Before all that has come meanwhile.
            var others = _untold.ToArray();
            _untold.Clear();
            _untold.Enqueue((after, through));
            foreach (var other in others)
                _untold.Enqueue(other);
        }

        TellPage();
    }

    private static ChannelMessage Readable(ChannelMessage message) => message with { Data = Json(message.Data) };

    private static ChannelMember Readable(ChannelMember member) => member with { Data = Json(member.Data) };

    private static JsonElement Json(object? data) => data is JsonData json ? JsonElement.Parse(json.Utf8.Span) : JsonElement.Parse("null"u8);
}
