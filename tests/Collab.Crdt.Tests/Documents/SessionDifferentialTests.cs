using System.Text.Json;

namespace Collab.Crdt.Tests.Documents;

/// <summary>
/// Random sessions, played here as yjs has played them: over all types, with formats, undo, subdocuments and snapshots, of all
/// sizes of client ids. Every failure names its profile and seed; see <see cref="SessionSource"/> for how to play one again.
/// </summary>
public sealed class SessionDifferentialTests(SessionSource source) : IClassFixture<SessionSource>
{
    private const int ShownInDetail = 3;

    public static TheoryData<string> Profiles => [.. SessionSource.Profiles];

    [Fact]
    public async Task Every_profile_of_the_oracle_is_played() => Assert.Equal(await source.ProfilesOfOracleAsync(), SessionSource.Profiles);

    [Theory, MemberData(nameof(Profiles))]
    public Task Each_step_emits_the_bytes_of_yjs(string profile) => ForEachSessionAsync(profile, SessionChecks.Steps);

    [Theory, MemberData(nameof(Profiles))]
    public Task The_replicas_end_with_the_content_and_the_bytes_of_yjs(string profile) => ForEachSessionAsync(profile, SessionChecks.Replicas);

    [Theory, MemberData(nameof(Profiles))]
    public Task Observers_are_told_what_they_are_told_in_yjs(string profile) => ForEachSessionAsync(profile, SessionChecks.Events);

    [Theory, MemberData(nameof(Profiles))]
    public Task Any_order_of_updates_and_any_part_of_them_makes_the_document_of_yjs(string profile) =>
        ForEachSessionAsync(profile, SessionChecks.Deliveries);

    [Fact]
    public Task Observers_of_replicas_are_told_what_they_are_told_in_yjs() => ForEachSessionAsync("observed", SessionChecks.LocalEvents);

    [Fact]
    public Task Subdocuments_come_go_and_load_as_in_yjs() => ForEachSessionAsync("sub-docs", SessionChecks.SubDocs);

    [Theory, InlineData("undo"), InlineData("undo-text"), InlineData("undo-some"), InlineData("gc-off-undo"), InlineData("sub-docs")]
    public Task As_much_can_be_undone_and_redone_as_in_yjs(string profile) => ForEachSessionAsync(profile, SessionChecks.UndoStacks);

    [Theory, MemberData(nameof(Profiles))]
    public Task Positions_end_where_they_end_in_yjs(string profile) => ForEachSessionAsync(profile, SessionChecks.Positions);

    [Theory, InlineData("gc-off"), InlineData("gc-off-undo")]
    public Task Snapshots_bring_back_what_they_bring_back_in_yjs(string profile) => ForEachSessionAsync(profile, SessionChecks.Snapshots);

    [Fact]
    public Task Yrs_reads_the_same_as_this_engine() => ForEachSessionAsync("yrs", SessionChecks.InYrs);

    [Theory, MemberData(nameof(Profiles))]
    public async Task Other_sessions_are_the_same_in_every_respect(string profile)
    {
        for (var block = 1; block <= SessionSource.OtherBlocks; block++)
            await CompareAsync(profile, await source.SessionsAsync(profile, block), SessionChecks.All);
    }

    private async Task ForEachSessionAsync(string profile, Action<JsonElement, Failures> check) =>
        await CompareAsync(profile, await source.SessionsAsync(profile, block: 0), check);

    private async Task CompareAsync(string profile, IReadOnlyList<JsonElement> sessions, Action<JsonElement, Failures> check)
    {
        var compared = 0;
        var failed = new List<int>();
        foreach (var session in sessions)
        {
            var failures = Run(session, check, new Failures());
            compared += failures.Compared;
            if (!failures.IsEmpty)
                failed.Add(session.GetProperty("seed").GetInt32());
        }
        if (failed.Count > 0)
            await TellAsync(profile, sessions.Count, failed, check);
        Assert.True(compared > 0 || SessionSource.PlaysOne, "Nothing was compared.");
    }

    private async Task TellAsync(string profile, int count, List<int> failed, Action<JsonElement, Failures> check)
    {
        var failures = new Failures();
        foreach (var seed in failed.Take(ShownInDetail))
            Run(await source.InDetailAsync(profile, seed), check, failures);
        Assert.Fail(
            $"{failed.Count} of {count} sessions differ, of the seeds {string.Join(' ', failed)}. "
            + $"COLLAB_FUZZ_SEED={profile}:{failed[0]} plays the first one again.\n{failures}");
    }

    private static Failures Run(JsonElement session, Action<JsonElement, Failures> check, Failures failures)
    {
        failures.Try(SessionChecks.IdOf(session), "session", () => check(session, failures));
        return failures;
    }
}
