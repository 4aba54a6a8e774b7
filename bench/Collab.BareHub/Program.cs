// A bare SignalR hub with group sends: Collab's channels without history, order, durability or care for slow readers. What a message
// holds, the limits and the settings of the sockets are Collab's, so that what differs is the work.
using System.Globalization;
using Microsoft.AspNetCore.SignalR;

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
builder.Services
    .AddSignalR(hub =>
    {
        hub.KeepAliveInterval = TimeSpan.FromSeconds(3);
        hub.MaximumParallelInvocationsPerClient = 64;
    })
    .AddMessagePackProtocol();

var app = builder.Build();
app.MapGet("/", () => Results.Ok());
app.MapHub<BareHub>("/hub", transports => transports.LongPolling.PollTimeout = TimeSpan.FromSeconds(3));
app.Run();

internal sealed class BareHub : Hub
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

internal sealed record Text(string Value);

internal sealed record Message(string Position, string Id, string Event, Text Data, long PublishedAt, string Publisher);
