namespace Collab.Crdt.Tests.Oracle;

/// <summary>
/// The algebra against yjs itself, on random editing sessions. Every failure names the seed; a session is played again with
/// that seed alone.
/// </summary>
public sealed class DifferentialTests(YjsOracle yjs) : IClassFixture<YjsOracle>
{
    private const int SessionsPerBlock = 100;

    public static TheoryData<int> Blocks => [0, 1, 2, 3];

    [Theory, MemberData(nameof(Blocks))]
    public Task Merging_comparing_and_state_vectors_give_the_bytes_of_yjs(int block) => ForEachSession(block, async (session, random) =>
    {
        foreach (var updates in new[] { session.Updates, Shuffled(session.Updates, random), Some(session.Updates, random) })
        {
            var target = Updates.StateVectorV1(Updates.MergeV1(Some(session.Updates, random)));
            var expected = await yjs.AlgebraAsync(updates, target);
            var merged = Updates.MergeV1(updates);
            AssertSame(expected.Merged, merged, "merge");
            AssertSame(expected.StateVector, Updates.StateVectorV1(merged), "state vector");
            AssertSame(expected.Difference, Updates.DiffV1(merged, target), "difference");
        }
    });

    [Theory, MemberData(nameof(Blocks))]
    public Task The_algebra_in_format_v2_gives_the_bytes_of_yjs(int block) => ForEachSession(block, async (session, random) =>
    {
        foreach (var updates in new[] { session.Updates, Shuffled(session.Updates, random), Some(session.Updates, random) })
        {
            var target = Updates.StateVectorV1(Updates.MergeV1(Some(session.Updates, random)));
            var expected = await yjs.AlgebraAsync(updates, target);
            var merged = Updates.MergeV2([.. updates.Select(update => (ReadOnlyMemory<byte>)Updates.ConvertV1ToV2(update.Span))]);
            AssertSame(expected.MergedV2, merged, "merge");
            AssertSame(expected.StateVectorV2, Updates.StateVectorV2(merged), "state vector");
            AssertSame(expected.DifferenceV2, Updates.DiffV2(merged, target), "difference");
            AssertSame(expected.BackToV1, Updates.ConvertV2ToV1(merged), "conversion");
            Assert.Null(Updates.ValidateV2(merged, UpdateLimits.Default));
        }
    });

    [Theory, MemberData(nameof(Blocks))]
    public Task An_update_in_format_v1_gives_the_one_that_yjs_emits_in_format_v2(int block) => ForEachSession(block, (session, _) =>
    {
        Assert.Equal(session.Updates.Count, session.UpdatesV2.Count);
        foreach (var (v1, v2) in session.Updates.Zip(session.UpdatesV2))
            AssertSame(v2.ToArray(), UpdateV2.FromV1(v1.Span), "format v2");
        return Task.CompletedTask;
    });

    [Theory, MemberData(nameof(Blocks))]
    public Task Overlapping_updates_merge_to_the_bytes_of_yjs(int block) => ForEachSession(block, async (session, random) =>
    {
        // Full states hold what the updates hold, in longer runs, and in part already collected.
        var updates = Shuffled([.. session.Updates, .. session.States, .. Some(session.Updates, random), .. Tails(session, random)], random);
        var expected = await yjs.AlgebraAsync(updates, [0]);
        var merged = Updates.MergeV1(updates);
        if (!MixesCollected(updates))
            AssertSame(expected.Merged, merged, "merge");
        Assert.Equal(Visible(await yjs.ApplyAsync(expected.Merged)), Visible(await yjs.ApplyAsync(merged)));
    });

    [Theory, MemberData(nameof(Blocks))]
    public Task A_compacted_update_makes_the_same_document(int block) => ForEachSession(block, async (session, random) =>
    {
        foreach (var updates in new[] { session.Updates, Some(session.Updates, random), [.. session.Updates, .. session.States] })
        {
            var merged = Updates.MergeV1([.. updates, Updates.EmptyV1.ToArray()]);
            var compact = Updates.CompactV1(updates);
            Assert.Null(Updates.ValidateV1(compact, UpdateLimits.Default));
            AssertSame(await yjs.ApplyAsync(merged), await yjs.ApplyAsync(compact));
            Assert.True(compact.Length <= merged.Length);
        }
    });

    [Theory, MemberData(nameof(Blocks))]
    public Task Compacting_in_stages_makes_the_same_document(int block) => ForEachSession(block, async (session, random) =>
    {
        var half = session.Updates.Count / 2;
        var staged = Updates.CompactV1([
            Updates.CompactV1([.. session.Updates.Take(half)]),
            Updates.MergeV1([.. session.Updates.Skip(half), Updates.EmptyV1.ToArray()]),
        ]);
        AssertSame(await yjs.ApplyAsync(Updates.MergeV1(session.Updates)), await yjs.ApplyAsync(staged));
    });

    [Theory, MemberData(nameof(Blocks))]
    public Task Everything_that_yjs_makes_is_valid(int block) => ForEachSession(block, (session, random) =>
    {
        foreach (var update in session.Updates.Concat(session.States).Append(Updates.MergeV1(Some(session.Updates, random))))
            Assert.Null(Updates.ValidateV1(update.Span, UpdateLimits.Default));
        return Task.CompletedTask;
    });

    [Theory, MemberData(nameof(Blocks))]
    public Task Another_engine_reads_a_compacted_update_as_it_reads_a_merged_one(int block) => ForEachSession(block, async (session, _) =>
    {
        // ywasm cuts larger client ids. (And yrs does not split surrogate pairs as yjs does, so there are none here.)
        if (session.Clients.Any(client => client > uint.MaxValue))
            return;
        var merged = Updates.MergeV1(session.Updates);
        Assert.Equal(await yjs.TextInYrsAsync(merged), await yjs.TextInYrsAsync(Updates.CompactV1([merged])));
    }, astral: false);

    private async Task ForEachSession(int block, Func<Session, Random, Task> check, bool astral = true)
    {
        for (var seed = block * SessionsPerBlock; seed < (block + 1) * SessionsPerBlock; seed++)
        {
            try
            {
                await check(await yjs.SessionAsync(seed, astral), new Random(seed));
            }
            catch (Exception failure)
            {
                Assert.Fail($"seed {seed}: {failure.Message}");
            }
        }
    }

    private static ReadOnlyMemory<byte>[] Shuffled(IEnumerable<ReadOnlyMemory<byte>> updates, Random random)
    {
        var shuffled = updates.ToArray();
        random.Shuffle(shuffled);
        return shuffled;
    }

    private static ReadOnlyMemory<byte>[] Some(IEnumerable<ReadOnlyMemory<byte>> updates, Random random) =>
        [.. updates.Where(_ => random.NextDouble() < 0.6)];

    /// <summary>States from somewhere in the middle on, whose first structs are cut.</summary>
    private static IEnumerable<ReadOnlyMemory<byte>> Tails(Session session, Random random)
    {
        foreach (var state in session.States)
        {
            var clocks = StateVector.Decode(Updates.StateVectorV1(state.Span));
            var target = clocks.ToDictionary(entry => entry.Key, entry => (uint)random.Next((int)entry.Value + 1));
            yield return Updates.DiffV1(state.Span, StateVector.Encode(target));
        }
    }

    private static void AssertSame(byte[] expected, byte[] actual, string what) =>
        Assert.True(
            expected.AsSpan().SequenceEqual(actual),
            $"{what}: yjs has {Convert.ToHexString(expected)}, ours is {Convert.ToHexString(actual)}");

    // What waits for something missing is part of the state as it came, so in as many runs as it came in.
    private static void AssertSame(Replica expected, Replica actual) =>
        Assert.Equal(expected, expected.Pending && actual.Pending ? actual with { State = expected.State, StateV2 = expected.StateV2, Stalls = expected.Stalls } : actual);

    private static (string, string) Visible(Replica replica) => (replica.Dump, replica.StateVector);

    /// <summary>
    /// True when some unit comes collected in one update and whole in another. There the order of yjs' sort is undefined (its
    /// comparison says of either that it comes first), so its bytes are an accident; the documents must be the same.
    /// </summary>
    private static bool MixesCollected(ReadOnlyMemory<byte>[] updates)
    {
        var collected = new HashSet<StructId>();
        var whole = new HashSet<StructId>();
        foreach (var update in updates)
        {
            var reader = new UpdateReader(update.Span);
            StructHeader header = default;
            while (reader.NextSection())
            {
                while (reader.NextStruct(ref header))
                {
                    for (var unit = header.Clock; unit < header.NextClock; unit++)
                        (header.Kind == StructKind.Gc ? collected : whole).Add(new StructId(reader.Client, unit));
                }
            }
        }
        return collected.Overlaps(whole);
    }
}
