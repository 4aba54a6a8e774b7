namespace Collab.Crdt.Tests.Oracle;

/// <summary>
/// A log that is compacted by building the document, as the server does: real yjs clients see the same, whatever was waiting, and
/// whenever it was compacted.
/// </summary>
public sealed class CompactionDifferentialTests(YjsOracle yjs) : IClassFixture<YjsOracle>
{
    private const int SessionsPerBlock = 75;

    public static TheoryData<int> Blocks => [0, 1];

    [Theory, MemberData(nameof(Blocks))]
    public async Task A_yjs_client_sees_the_same_in_the_compacted_document(int block)
    {
        foreach (var (session, _, seed) in await SessionsAsync(block))
        {
            var compacted = Compact(Updates.MergeV1(session.Updates));
            var (expected, actual) = (await yjs.ApplyAsync(session.Updates), await yjs.ApplyAsync(compacted));

            Assert.Equal((seed, expected.Dump, expected.StateVector), (seed, actual.Dump, actual.StateVector));
            Assert.False(actual.Pending);
        }
    }

    [Theory, MemberData(nameof(Blocks))]
    public async Task What_was_waiting_when_it_was_compacted_comes_to_its_place_later(int block)
    {
        foreach (var (session, random, seed) in await SessionsAsync(block))
        {
            // Some updates come late, so that others wait for them through two compactions.
            var late = session.Updates.Where(_ => random.NextDouble() < 0.3).ToHashSet();
            ReadOnlyMemory<byte>[] early = [.. session.Updates.Where(update => !late.Contains(update))];
            var half = early.Length / 2;
            var first = Compact(Updates.MergeV1([.. early[..half], Updates.EmptyV1.ToArray()]));
            var second = Compact(Updates.MergeV1([first, .. early[half..]]));
            var (expected, actual) = (await yjs.ApplyAsync(session.Updates), await yjs.ApplyAsync([second, .. late]));

            Assert.Equal((seed, expected.Dump, expected.StateVector), (seed, actual.Dump, actual.StateVector));
            Assert.False(actual.Pending);
        }
    }

    [Theory, MemberData(nameof(Blocks))]
    public async Task It_is_no_longer_than_what_yjs_makes_of_it(int block)
    {
        foreach (var (session, _, seed) in await SessionsAsync(block))
        {
            var compacted = Compact(Updates.MergeV1(session.Updates));
            var state = Convert.FromBase64String((await yjs.ApplyAsync(Updates.MergeV1(session.Updates))).State);

            Assert.True(compacted.Length <= state.Length, $"seed {seed}: {compacted.Length} bytes, yjs has {state.Length}");
        }
    }

    private static byte[] Compact(byte[] update)
    {
        using var doc = new Doc(new DocOptions { CleanFormats = false });
        doc.ApplyV1(update);
        var compacted = doc.StateDiffV1();
        Assert.True(Updates.CoversV1(compacted, update));
        Assert.Null(Updates.ValidateV1(compacted, UpdateLimits.Default));
        return compacted;
    }

    private async Task<List<(Session Session, Random Random, int Seed)>> SessionsAsync(int block)
    {
        var sessions = new List<(Session, Random, int)>();
        for (var seed = block * SessionsPerBlock; seed < (block + 1) * SessionsPerBlock; seed++)
            sessions.Add((await yjs.SessionAsync(seed), new Random(seed), seed));
        return sessions;
    }
}
