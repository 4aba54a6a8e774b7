using Collab.Protocol;
using Collab.Server.Documents;
using Collab.Server.Fanout;
using Collab.Server.Rooms;
using Collab.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Tests.Fanout;

/// <summary>The log is the truth: between joining and following, and across gaps, nothing is missed.</summary>
public sealed class CatchUpTests
{
    private static readonly RoomKey Document = new(RoomKind.Document, "d");

    [Fact]
    public async Task What_is_pushed_while_one_joins_is_in_the_join_or_follows_it()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Documents:BeatMilliseconds", "1")]);
        var writer = await host.ConnectAsync("ada");
        await writer.JoinAsync("d");
        var typist = new Typist(1);
        using var enough = new CancellationTokenSource();
        var writing = Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
                await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => writer.PushAsync("d", typist.Type("x"))));
        });

        var joiners = new List<(TestClient Client, JoinedDocument Joined)>();
        for (var i = 0; i < 20; i++)
        {
            var client = await host.ConnectAsync($"joiner{i}");
            joiners.Add((client, await client.JoinAsync("d")));
        }

        await enough.CancelAsync();
        await writing;
        foreach (var (client, joined) in joiners)
            await client.UntilReadAsync(typist, typist.Clock, joined);
    }

    [Fact]
    public async Task What_is_sent_between_entering_the_group_and_following_arrives_although_nothing_follows_it()
    {
        await using var host = await CollabTestHost.StartAsync();
        var writer = await host.ConnectAsync("ada");
        var joiner = await host.ConnectAsync("ben");
        await writer.JoinAsync("d");
        var connections = host.Services.GetRequiredService<CollabLifetimeManager>();
        var connectionId = joiner.Connection.ConnectionId!;
        var room = host.Services.GetRequiredService<DocumentRooms>().Enter("d", new DocumentMember(connectionId, "ben", canWrite: true, echoes: false));
        var typist = new Typist(1);

        // The steps of a join, with an update in their middle.
        var membership = await connections.JoinAsync(connectionId, Document, room.Group, room);
        await writer.PushAsync("d", typist.Type("between"));
        Assert.Empty(joiner.Updates);
        connections.Follow(connectionId, membership!, cursor: 0);

        await joiner.UntilReadAsync(typist, 7);
        Assert.Single(joiner.Updates);
    }

    [Fact]
    public async Task A_gap_before_a_message_is_filled_from_the_log()
    {
        await using var host = await CollabTestHost.StartAsync();
        var log = host.Services.GetRequiredService<IRoomLog>();
        var writer = await host.ConnectAsync("ada");
        var reader = await host.ConnectAsync("ben");
        await writer.JoinAsync("d");
        await reader.JoinAsync("d");
        Typist elsewhere = new(1), here = new(2);

        // As another process would: into the log, past this server's fan-out.
        await log.AppendAsync(Document, [new NewLogEntry(elsewhere.Type("unseen"))], default);
        var position = await writer.PushAsync("d", here.Type("seen"));

        await reader.UntilReadAsync(elsewhere, 6);
        await reader.UntilReadAsync(here, 4);
        await writer.UntilReadAsync(elsewhere, 6);
        Assert.Equal(position, reader.Updates.Last().Position);
    }

    [Fact]
    public async Task Positions_that_one_receives_only_grow()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Documents:BeatMilliseconds", "1")]);
        var reader = await host.ConnectAsync("ben");
        await reader.JoinAsync("d");
        var writers = Enumerable.Range(1, 4).Select(i => (Client: host.ConnectAsync($"user{i}"), Typist: new Typist((ulong)i))).ToArray();
        await Task.WhenAll(writers.Select(async writer =>
        {
            var client = await writer.Client;
            await client.JoinAsync("d");
            for (var i = 0; i < 50; i++)
                await client.PushAsync("d", writer.Typist.Type("x"));
        }));

        foreach (var (_, typist) in writers)
            await reader.UntilReadAsync(typist, 50);
        var offsets = reader.Updates.Select(update => Position.TryParse(update.Position, out var position) ? position.Offset : -1).ToList();
        Assert.Equal(offsets.Distinct().Order(), offsets);
        Assert.Equal(200, offsets[^1]);
    }
}
