using System.Globalization;
using Microsoft.AspNetCore.SignalR;

namespace Collab.BareHub;

/// <summary>One group per channel.</summary>
internal sealed class PlainHub : Hub
{
    private static long _published;

    public Task Subscribe(string channel) => Groups.AddToGroupAsync(Context.ConnectionId, channel);

    public async Task<string> Publish(string channel, string @event, Text data)
    {
        var position = string.Create(CultureInfo.InvariantCulture, $"00000000-{Interlocked.Increment(ref _published)}");
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        await Clients.Group(channel).SendAsync("MessageReceived", channel, new Message(position, position, @event, data, now, "guest"));
        return position;
    }
}

/// <summary>The data of a message. Public, as MessagePack needs it.</summary>
public sealed record Text(string Value);

/// <summary>What Collab's messages hold.</summary>
public sealed record Message(string Position, string Id, string Event, Text Data, long PublishedAt, string Publisher);
