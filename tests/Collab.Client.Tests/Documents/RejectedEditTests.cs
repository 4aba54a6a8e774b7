using Collab.Crdt;
using Collab.Protocol;
using Collab.Server;
using Collab.Server.Documents;
using Collab.Testing;

namespace Collab.Client.Tests.Documents;

/// <summary>What a rule of the server refuses is taken back here, and nothing else.</summary>
public sealed class RejectedEditTests : IAsyncLifetime
{
    private CollabTestHost _host = null!;

    public async Task InitializeAsync() => _host = await CollabTestHost.StartAsync(configure: collab => collab.AddDocumentRule<NoBadWords>());

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task A_refused_edit_is_taken_back_and_what_is_typed_around_it_stays()
    {
        await using var mine = Connect("ada");
        await using var theirs = Connect("ben");
        var (one, other) = (mine.OpenDocument("doc"), theirs.OpenDocument("doc"));
        var rejections = new List<string>();
        one.Rejected += (_, rejection) => rejections.Add(rejection.Message);
        await one.WhenSyncedAsync().SoonAsync();
        one.Edit(doc => doc.GetText("text").Insert(0, "good "));
        await one.WhenAcknowledgedAsync().SoonAsync();

        one.Edit(doc => doc.GetText("text").Insert(5, "bad "));
        await Eventually.IsTrueAsync(() => rejections.Count == 1 && TextOf(one) == "good ", () => TextOf(one));
        one.Edit(doc => doc.GetText("text").Insert(5, "better"));
        await one.WhenAcknowledgedAsync().SoonAsync();

        await Eventually.IsTrueAsync(() => TextOf(other) == "good better", () => TextOf(other));
        Assert.StartsWith("bad_word: ", rejections.Single(), StringComparison.Ordinal);
        Assert.Equal("good better", TextOf(one));
    }

    [Fact]
    public async Task A_deletion_that_is_refused_brings_back_what_was_deleted()
    {
        await using var mine = Connect("ada");
        var one = mine.OpenDocument("doc");
        await one.WhenSyncedAsync().SoonAsync();
        one.Edit(doc =>
        {
            doc.GetText("text").Insert(0, "keep this");
            doc.GetText("text").Format(0, 4, new Dictionary<string, Any> { ["bold"] = true });
            doc.GetMap("must").Set("stay", 1);
        });
        await one.WhenAcknowledgedAsync().SoonAsync();

        one.Edit(doc =>
        {
            doc.GetMap("must").Remove("stay");
            doc.GetText("text").Delete(0, 5);
        });
        await Eventually.IsTrueAsync(() => TextOf(one) == "keep this", () => TextOf(one));
        await one.WhenAcknowledgedAsync().SoonAsync();

        Assert.Equal(1, one.Read(doc => doc.GetMap("must")["stay"].AsNumber()));
        Assert.Equal("""{"insert":"keep","attributes":{"bold":true}}""", one.Read(doc => doc.GetText("text").ToDelta()[0].ToString()));
        await using var theirs = Connect("ben");
        var other = theirs.OpenDocument("doc");
        await other.WhenSyncedAsync().SoonAsync();
        Assert.Equal("keep this", TextOf(other));
    }

    [Fact]
    public async Task What_was_typed_offline_and_is_refused_is_taken_back_too()
    {
        await using var mine = Connect("ada", connect: false);
        var one = mine.OpenDocument("doc");
        one.Edit(doc => doc.GetText("text").Insert(0, "bad"));
        var rejected = new TaskCompletionSource();
        one.Rejected += (_, _) => rejected.SetResult();

        mine.Connect();
        await rejected.Task.SoonAsync();
        await one.WhenAcknowledgedAsync().SoonAsync();

        Assert.Equal("", TextOf(one));
    }

    [Fact]
    public async Task Many_edits_of_which_some_are_refused_leave_both_sides_the_same()
    {
        await using var mine = Connect("ada");
        await using var theirs = Connect("ben");
        var (one, other) = (mine.OpenDocument("doc"), theirs.OpenDocument("doc"));
        await one.WhenSyncedAsync().SoonAsync();
        await other.WhenSyncedAsync().SoonAsync();
        var random = new Random(3);
        for (var i = 0; i < 200; i++)
        {
            var document = random.Next(2) == 0 ? one : other;
            document.Edit(doc => doc.GetText("text").Insert(random.Next(doc.GetText("text").Length + 1), random.Next(10) == 0 ? "bad" : "x"));
            if (random.Next(5) == 0)
                await Task.Delay(5);
        }

        await one.WhenAcknowledgedAsync().SoonAsync();
        await other.WhenAcknowledgedAsync().SoonAsync();
        await Eventually.IsTrueAsync(() => TextOf(one) == TextOf(other), () => $"{TextOf(one)}\n{TextOf(other)}");
        Assert.DoesNotContain("bad", TextOf(one), StringComparison.Ordinal);
        await using var late = Connect("eve");
        var third = late.OpenDocument("doc");
        await third.WhenSyncedAsync().SoonAsync();
        Assert.Equal(TextOf(one), TextOf(third));
    }

    private CollabConnection Connect(string user, bool connect = true) => ClientServer.WithoutContext(() => new CollabConnection(
        new Uri(_host.Url + HubContract.Path),
        new CollabConnectionOptions { AccessTokenFactory = _ => Task.FromResult(ClientServer.TokenOf(user)), Connect = connect }));

    private static string TextOf(SharedDocument document) => document.Read(doc => doc.GetText("text").ToString()!);

    internal sealed class NoBadWords : IDocumentRule
    {
        public ValueTask<RuleVerdict> JudgeAsync(ProposedEdit edit, CancellationToken cancellationToken) => ValueTask.FromResult(
            edit.After.GetText("text").ToString()!.Contains("bad", StringComparison.Ordinal) ? RuleVerdict.Rejected("bad_word", "not this word")
            : edit.Before.GetMap("must").ContainsKey("stay") && !edit.After.GetMap("must").ContainsKey("stay") ? RuleVerdict.Rejected("must_stay", "not that")
            : RuleVerdict.Accepted);
    }
}
