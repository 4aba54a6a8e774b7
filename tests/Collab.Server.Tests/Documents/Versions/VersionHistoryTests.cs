using Collab.Crdt;
using Collab.Protocol;
using Collab.Server.Events;
using Collab.Server.Nodes;
using Collab.Server.Rooms;
using Collab.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Collab.Server.Documents.Versions;

/// <summary>Versions are made by themselves when they are due, and old ones go without those that stay losing anything.</summary>
public sealed class VersionHistoryTests
{
    private static readonly VersionOptions Options = new() { AtLeastSeconds = 60, EverySeconds = 600, EveryUpdates = 3 };

    [Fact]
    public void A_document_is_due_after_a_time_after_many_updates_and_when_all_have_left()
    {
        var keeper = new VersionKeeper();
        Assert.False(keeper.TryTakeTurn(Options, isLeft: true, 1_000_000));
        keeper.Changed("ada", 1_000_000);
        Assert.False(keeper.TryTakeTurn(Options, isLeft: false, 1_010_000));
        Assert.True(keeper.TryTakeTurn(Options, isLeft: true, 1_010_000));
        keeper.Changed("ada", 1_020_000);
        Assert.False(keeper.TryTakeTurn(Options, isLeft: true, 1_069_000));
        Assert.True(keeper.TryTakeTurn(Options, isLeft: true, 1_070_000));
        Assert.False(keeper.TryTakeTurn(Options, isLeft: true, 2_000_000));

        // Time counts from the last version.
        keeper.Changed("ben", 1_100_000);
        Assert.False(keeper.TryTakeTurn(Options, isLeft: false, 1_669_000));
        Assert.True(keeper.TryTakeTurn(Options, isLeft: false, 1_670_000));

        for (var i = 0; i < 3; i++)
            keeper.Changed("eve", 1_680_000);
        Assert.False(keeper.TryTakeTurn(Options, isLeft: false, 1_729_000));
        Assert.True(keeper.TryTakeTurn(Options, isLeft: false, 1_730_000));
        Assert.Equal(["ada", "ben", "eve"], keeper.TakeAuthors().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_document_that_is_changed_gets_versions_by_itself()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Versions:AtLeastSeconds", "0"), ("Collab:Versions:EveryUpdates", "1")]);
        var documents = host.Services.GetRequiredService<IDocumentClient>();
        var log = host.Services.GetRequiredService<VersionLog>();
        await documents.EditAsync("doc", doc => doc.GetText("text").Insert(0, "a"), new DocumentEditOptions { UserId = "ada" });
        var deadline = DateTime.UtcNow.AddSeconds(20);
        while (!(await log.ReadAsync("doc", default)).Versions.Any() && DateTime.UtcNow < deadline)
            await Task.Delay(50);

        var version = Assert.Single((await log.ReadAsync("doc", default)).Versions);
        Assert.True(version.IsAutomatic);
        Assert.Equal(["ada"], version.Authors);
        // Nothing has changed since.
        await Task.Delay(2_000);
        Assert.Single((await log.ReadAsync("doc", default)).Versions);
    }

    [Fact]
    public async Task Old_versions_go_named_ones_stay_and_what_stays_shows_the_same()
    {
        var clock = new ShiftedTime();
        var store = new InMemoryRoomLog(clock);
        await using var services = new ServiceCollection().AddMetrics().AddLogging().AddSingleton<TimeProvider>(clock).AddSingleton<IBackplane, NoBackplane>()
            .AddSingleton<NodeMetrics>().AddSingleton<NodeBus>().AddSingleton<EventSinks>().AddSingleton<IRoomLog>(store).AddSingleton<EventOutbox>().BuildServiceProvider();
        var log = new VersionLog(store, services.GetRequiredService<EventOutbox>(), Microsoft.Extensions.Options.Options.Create(new VersionOptions { KeepAutomatic = 3, KeepAutomaticDays = 30 }), clock);
        var doc = new Doc();
        var texts = new Dictionary<string, string>();
        for (var i = 0; i < 10; i++)
        {
            var before = doc.StateVectorV1();
            doc.GetText("text").Insert(0, $"{i} ");
            if (i % 3 == 2)
                doc.GetText("text").Delete(2, 2);
            var version = new DocumentVersion($"{i:x4}", i == 2 ? "named" : null, clock.GetUtcNow().ToUnixTimeMilliseconds(), i != 2, null, $"ab-{i + 1}", []);
            await log.AppendAsync("doc", new VersionEntry(version) { Update = doc.StateDiffV1(before) }, default);
            texts[version.Id] = doc.GetText("text").ToString()!;
            await log.TrimAsync("doc", await log.ReadAsync("doc", default), default);
        }

        var history = await log.ReadAsync("doc", default);
        Assert.Equal(["0002", "0007", "0008", "0009"], history.Versions.Select(version => version.Id));
        Assert.All(history.Versions, version => Assert.Equal(texts[version.Id], TextAt(history, version.Id)));

        clock.Advance(TimeSpan.FromDays(31));
        await log.TrimAsync("doc", history, default);
        history = await log.ReadAsync("doc", default);
        Assert.Equal(["0002", "0009"], history.Versions.Select(version => version.Id));
        Assert.All(history.Versions, version => Assert.Equal(texts[version.Id], TextAt(history, version.Id)));
    }

    private static string TextAt(VersionHistory history, string id)
    {
        var doc = new Doc();
        foreach (var update in history.UpdatesThrough(id))
            doc.ApplyV1(update.Span);
        return doc.GetText("text").ToString()!;
    }
}
