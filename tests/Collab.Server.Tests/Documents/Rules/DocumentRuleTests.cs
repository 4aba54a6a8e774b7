using System.Net;
using System.Text;
using Collab.Crdt;
using Collab.Protocol;
using Collab.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Documents.Rules;

/// <summary>An edit that a rule refuses is neither stored nor seen, by whatever door it comes.</summary>
public sealed class DocumentRuleTests : IAsyncLifetime
{
    private CollabTestHost _host = null!;

    public async Task InitializeAsync() =>
        _host = await CollabTestHost.StartAsync(configure: collab => collab.AddDocumentRule<ShortTexts>().AddDocumentRule<BrokenRule>());

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task What_is_refused_nobody_sees_and_what_is_not_goes_on()
    {
        var (ada, ben) = (await _host.ConnectAsync("ada"), await _host.ConnectAsync("ben"));
        await ada.JoinAsync("short/doc");
        await ben.JoinAsync("short/doc");
        var typist = new Typist(1);
        await ada.PushAsync("short/doc", typist.Type("12345"));

        var refused = await Assert.ThrowsAsync<Microsoft.AspNetCore.SignalR.HubException>(() => ada.PushAsync("short/doc", new Typist(2).Type("123456")));
        Assert.EndsWith("rejected: too_long: at most 10 letters", refused.Message, StringComparison.Ordinal);
        await ada.PushAsync("short/doc", typist.Type("67890"));

        await ben.UntilAsync(client => client.Updates.Count == 2);
        var doc = new Doc();
        doc.ApplyV1((await ben.SyncAsync("short/doc")).Update);
        Assert.Equal("1234567890", doc.GetText("t").ToString());
    }

    [Fact]
    public async Task A_refused_edit_together_with_what_takes_it_back_is_let_in()
    {
        var client = await _host.ConnectAsync("ada");
        await client.JoinAsync("short/doc");
        var doc = new Doc();
        var updates = new List<ReadOnlyMemory<byte>>();
        doc.ObserveUpdatesV1(change => updates.Add(change.Update));
        doc.GetText("t").Insert(0, "far too long a text");
        Assert.Equal(ErrorCodes.Rejected, await TestClient.CodeOfAsync(client.PushAsync("short/doc", updates[0].ToArray())));

        doc.GetText("t").Delete(0, 19);
        doc.GetText("t").Insert(0, "short");
        await client.PushAsync("short/doc", Updates.MergeV1(updates));

        var server = new Doc();
        server.ApplyV1((await client.SyncAsync("short/doc")).Update);
        Assert.Equal("short", server.GetText("t").ToString());
    }

    [Fact]
    public async Task Edits_at_once_are_judged_one_after_the_other()
    {
        var clients = new List<TestClient>();
        for (ulong i = 1; i <= 24; i++)
        {
            clients.Add(await _host.ConnectAsync($"user {i}"));
            await clients[^1].JoinAsync("short/doc");
        }

        var codes = await Task.WhenAll(clients.Select((client, i) => TestClient.CodeOfAsync(client.PushAsync("short/doc", new Typist((ulong)i + 1).Type("1234")))));

        // Two of four letters are let in; a third would make twelve.
        Assert.Equal(2, codes.Count(code => code == "no error"));
        Assert.Equal(22, codes.Count(code => code == ErrorCodes.Rejected));
    }

    [Fact]
    public async Task Documents_of_no_rule_are_not_judged_and_a_rule_that_fails_lets_nothing_in()
    {
        var client = await _host.ConnectAsync("ada");
        await client.JoinAsync("other/doc");
        await client.JoinAsync("broken/doc");

        await client.PushAsync("other/doc", new Typist(1).Type("far too long a text"));
        Assert.Equal(ErrorCodes.Unavailable, await TestClient.CodeOfAsync(client.PushAsync("broken/doc", new Typist(1).Type("x"))));
    }

    [Fact]
    public async Task HTTP_and_the_servers_own_code_are_judged_too()
    {
        using var patch = await _host.SendAsync(
            HttpMethod.Patch, "/documents/short%2Fdoc?path=/t", Encoding.UTF8.GetBytes("""[{"insert":"far too long a text"}]"""), "application/vnd.collab.delta+json");
        using var push = await _host.SendAsync(HttpMethod.Post, "/documents/short%2Fdoc/updates", new Typist(1).Type("far too long a text"), "application/octet-stream");
        var documents = _host.Services.GetRequiredService<IDocumentClient>();
        var edit = await Assert.ThrowsAsync<CollabException>(() => documents.EditAsync("short/doc", doc => doc.GetText("t").Insert(0, "far too long a text")));
        await documents.EditAsync("short/doc", doc => doc.GetText("t").Insert(0, "short"));

        Assert.Equal([HttpStatusCode.UnprocessableEntity, HttpStatusCode.UnprocessableEntity], new[] { patch, push }.Select(answer => answer.StatusCode));
        Assert.Equal(ErrorCodes.Rejected, await patch.CodeAsync());
        Assert.Equal(ErrorCodes.Rejected, edit.Code);
        Assert.Equal("short", await documents.ReadAsync("short/doc", doc => doc.GetText("t").ToString()));
    }

    [Fact]
    public async Task A_rule_sees_who_edits_and_the_document_before_and_after()
    {
        var rule = new Observing();
        await using var host = await CollabTestHost.StartAsync(configure: collab => collab.Services.AddSingleton<IDocumentRule>(rule));
        var client = await host.ConnectAsync("ada");
        await client.JoinAsync("doc");
        var typist = new Typist(1);

        foreach (var letter in "abc")
            await client.PushAsync("doc", typist.Type(letter.ToString()));

        Assert.Equal(["ada: '' 'a'", "ada: 'a' 'ab'", "ada: 'ab' 'abc'"], rule.Seen);
    }

    internal sealed class ShortTexts : IDocumentRule
    {
        public bool AppliesTo(string documentId) => documentId.StartsWith("short/", StringComparison.Ordinal);

        public ValueTask<RuleVerdict> JudgeAsync(ProposedEdit edit, CancellationToken cancellationToken) => ValueTask.FromResult(
            edit.After.GetText("t").Length <= 10 ? RuleVerdict.Accepted : RuleVerdict.Rejected("too_long", "at most 10 letters"));
    }

    internal sealed class BrokenRule : IDocumentRule
    {
        public bool AppliesTo(string documentId) => documentId.StartsWith("broken/", StringComparison.Ordinal);

        public ValueTask<RuleVerdict> JudgeAsync(ProposedEdit edit, CancellationToken cancellationToken) => throw new InvalidDataException("no answer");
    }

    private sealed class Observing : IDocumentRule
    {
        public List<string> Seen { get; } = [];

        public ValueTask<RuleVerdict> JudgeAsync(ProposedEdit edit, CancellationToken cancellationToken)
        {
            Seen.Add($"{edit.UserId}: '{edit.Before.GetText("t")}' '{edit.After.GetText("t")}'");
            return ValueTask.FromResult(RuleVerdict.Accepted);
        }
    }
}
