using System.Text.Json;

namespace Collab.Crdt.Tests;

/// <summary>The algebra gives yjs' bytes for every document case of the vectors.</summary>
public sealed class VectorAlgebraTests
{
    [Fact]
    public void Merging_all_updates_gives_the_bytes_of_yjs() =>
        ForEach(Vectors.Documents, (document, algebra) =>
        {
            AssertSha(algebra, "merged", document.Merged, document);
            if (algebra.TryGetProperty("mergedLen", out var length))
                Assert.Equal(length.GetInt32(), document.Merged.Length);
        });

    [Fact]
    public void Merging_shuffled_updates_gives_the_bytes_of_yjs() =>
        ForEach(Vectors.Documents, (document, algebra) =>
        {
            if (!algebra.TryGetProperty("mergedShuffled", out var shuffled))
                return;
            var updates = shuffled.GetProperty("order").EnumerateArray().Select(index => document.Updates[index.GetInt32()]).ToArray();
            AssertSha(shuffled, "sha", Updates.MergeV1(updates), document);
        });

    [Fact]
    public void Merging_with_gaps_gives_the_bytes_of_yjs() =>
        ForEach(Vectors.Documents, (document, algebra) =>
        {
            var even = Updates.MergeV1([.. document.Updates.Where((_, index) => index % 2 == 0)]);
            AssertSha(algebra, "evenOnly", even, document);
            AssertBytes(algebra, "evenSv", Updates.StateVectorV1(even), document);
        });

    [Fact]
    public void The_state_vector_of_an_update_has_the_bytes_of_yjs() =>
        ForEach(Vectors.Documents, (document, algebra) =>
            AssertBytes(algebra, "sv", Updates.StateVectorV1(document.Merged), document));

    [Fact]
    public void The_difference_to_a_state_vector_has_the_bytes_of_yjs() =>
        ForEach(Vectors.Documents, (document, algebra) =>
        {
            if (algebra.OptionalBytes("diffAgainst") is { } stateVector)
                AssertSha(algebra, "diff", Updates.DiffV1(document.Merged, stateVector), document);
        });

    [Fact]
    public void The_state_of_a_document_has_its_state_vector() =>
        ForEach(Vectors.Documents, (document, _) =>
        {
            if (!document.Json.TryGetProperty("expect", out var expect) || HasPending(expect))
                return;
            if (expect.OptionalBytes("stateV1") is { } state && expect.OptionalBytes("svBytes") is { } stateVector)
                Assert.Equal(StateVector.Decode(stateVector), StateVector.Decode(Updates.StateVectorV1(state)));
        });

    [Fact]
    public void State_vectors_decode_and_encode_to_the_same_bytes() =>
        ForEach(Vectors.Documents, (document, algebra) =>
        {
            if (document.Json.TryGetProperty("expect", out var expect) && expect.OptionalBytes("svBytes") is { } bytes)
                Assert.Equal(bytes, StateVector.Encode(StateVector.Decode(bytes)));
        });

    [Fact]
    public void Every_update_of_a_yjs_client_is_valid()
    {
        Assert.NotEmpty(Vectors.Documents);
        foreach (var document in Vectors.Documents)
        {
            for (var i = 0; i < document.Updates.Count; i++)
                AssertValid(document.Updates[i].Span, $"{document} update {i}");
            AssertValid(document.Merged, $"{document} merged");
            AssertValid(Updates.CompactV1(document.Updates), $"{document} compacted");
            if (document.Json.TryGetProperty("expect", out var expect) && expect.OptionalBytes("stateV1") is { } state)
                AssertValid(state, $"{document} state");
        }
    }

    [Fact]
    public void Compacting_keeps_the_state_vector_and_what_is_deleted() =>
        ForEach(Vectors.Documents, (document, _) =>
        {
            var compact = Updates.CompactV1(document.Updates);
            Assert.True(compact.Length <= Updates.MergeV1([.. document.Updates, Updates.EmptyV1.ToArray()]).Length, document.Id);
            Assert.Equal(Updates.StateVectorV1(document.Merged), Updates.StateVectorV1(compact));
            Assert.Equal(compact, Updates.CompactV1([compact]));
        });

    [Fact]
    public void Updates_on_which_other_engines_stall_merge_completely()
    {
        foreach (var pending in Vectors.MustPassPending)
        {
            ReadOnlyMemory<byte>[] updates =
                [.. pending.GetProperty("deliver").EnumerateArray().Select(hex => (ReadOnlyMemory<byte>)Convert.FromHexString(hex.GetString()!))];
            var merged = Updates.MergeV1(updates);
            AssertValid(merged, pending.OptionalText("name"));
            if (pending.OptionalBytes("expectStateVector") is { } stateVector)
                Assert.Equal(StateVector.Decode(stateVector), StateVector.Decode(Updates.StateVectorV1(merged)));
            Assert.Equal(merged, Updates.MergeV1([.. updates.Reverse()]));
        }
    }

    private static void ForEach(IReadOnlyList<DocumentCase> documents, Action<DocumentCase, JsonElement> check)
    {
        Assert.NotEmpty(documents);
        foreach (var document in documents)
        {
            if (document.Algebra is { } algebra)
                check(document, algebra);
        }
    }

    private static bool HasPending(JsonElement expect) =>
        expect.TryGetProperty("pendingLeft", out var left) && left.ValueKind == JsonValueKind.Array
        && left.EnumerateArray().FirstOrDefault() is { ValueKind: JsonValueKind.Array } first && first.GetArrayLength() > 0;

    private static void AssertSha(JsonElement expected, string property, byte[] actual, DocumentCase document)
    {
        if (expected.OptionalText(property) is { } sha)
            Assert.True(sha == Vectors.Sha(actual), $"{document}: {property} differs from yjs ({actual.Length} bytes)");
    }

    private static void AssertBytes(JsonElement expected, string property, byte[] actual, DocumentCase document)
    {
        if (expected.OptionalBytes(property) is { } bytes)
            Assert.True(bytes.AsSpan().SequenceEqual(actual), $"{document}: {property} differs from yjs");
    }

    private static void AssertValid(ReadOnlySpan<byte> update, string? what)
    {
        var fault = Updates.ValidateV1(update, UpdateLimits.Default);
        Assert.True(fault is null, $"{what}: {fault}");
    }
}
