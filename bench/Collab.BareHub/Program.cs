// A bare SignalR hub with group sends: Collab's channels without history, order, durability or care for slow readers. What a message
// holds, the limits and the settings of the sockets are Collab's, so that what differs is the work.
using Collab.BareHub;

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
app.MapHub<PlainHub>("/hub", transports => transports.LongPolling.PollTimeout = TimeSpan.FromSeconds(3));
app.Run();
