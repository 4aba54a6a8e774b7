using Collab.Testing.Readers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Tests.Fanout;

/// <summary>
/// The negative control of the stalled-reader test: SignalR's own group sends, by the same measure, freeze for seconds.
/// If this ever passes the measure, the measure has stopped measuring.
/// </summary>
public sealed class PlainGroupSendTests
{
    [Fact]
    public async Task Without_outboxes_one_stalled_reader_freezes_the_whole_group()
    {
        await using var app = await StartPlainHubAsync();
        await using var members = new StalledReaders("burst");
        var hub = new Uri(app.Urls.First() + "/hub");
        await members.JoinAsync(hub, healthy: 3, stalled: 1);

        await members.PushAsync(hub, updates: 12_000, bytes: 1024);

        Assert.True(members.LongestPause > 5_000, $"the longest pause was {members.LongestPause} ms");
    }

    private static async Task<WebApplication> StartPlainHubAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddSignalR().AddMessagePackProtocol();
        var app = builder.Build();
        app.MapHub<PlainHub>("/hub");
        await app.StartAsync();
        return app;
    }

    public sealed class PlainHub : Hub
    {
        public Task JoinDocument(string document, byte[] stateVector) =>
            Groups.AddToGroupAsync(Context.ConnectionId, document + stateVector.Length);

        public Task PushUpdate(string document, byte[] update) =>
            Clients.Group(document + 1).SendAsync("DocumentUpdated", document, update, "0-0");
    }
}
