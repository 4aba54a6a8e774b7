using System.Text.Json;

namespace Collab.Crdt.Tests;

/// <summary>Format v2 has yjs' bytes for every document case of the vectors, whichever way an update comes to it.</summary>
public sealed class VectorV2Tests
{
    [Fact]
    public void Every_update_has_the_bytes_of_yjs_in_format_v2() => ForEachUpdate((v1, v2, what) =>
    {
        var written = UpdateV2.FromV1(v1.Span);
        Assert.True(v2.Matches(written), $"{what} differs from yjs: {Convert.ToHexString(written)}");
    });

    [Fact]
    public void Every_update_in_format_v2_is_valid_and_gives_its_format_v1() => ForEachUpdate((v1, _, what) =>
    {
        var v2 = UpdateV2.FromV1(v1.Span);
        Assert.True(Updates.ValidateV2(v2, UpdateLimits.Default) is null, $"{what}: {Updates.ValidateV2(v2, UpdateLimits.Default)}");
        // The flag of a key beside origins is dropped by the conversion, as by the algebra.
        AssertSame(Updates.DiffV1(v1.Span, StateVector.Empty), Updates.ConvertV2ToV1(v2), what);
        AssertSame(v2, UpdateV2.FromV1(UpdateV2.ToV1(v2, UpdateLimits.Default, json: false)), what);
    });

    [Fact]
    public void The_algebra_in_format_v2_has_the_bytes_of_yjs()
    {
        foreach (var document in Vectors.Documents.Where(document => document.Algebra is not null))
        {
            var algebra = document.Algebra!.Value;
            var merged = Updates.MergeV2(document.UpdatesV2);
            AssertSha(algebra, "mergedV2", merged, document);
            AssertSame(Updates.StateVectorV1(document.Merged), Updates.StateVectorV2(merged), $"{document}: state vector");
            if (algebra.OptionalBytes("diffAgainst") is { } stateVector)
                AssertSha(algebra, "diffV2", Updates.DiffV2(merged, stateVector), document);
            AssertSha(algebra, "toV2", Updates.ConvertV1ToV2(document.Merged), document);
            AssertSha(algebra, "backToV1", Updates.ConvertV2ToV1(Updates.ConvertV1ToV2(document.Merged)), document);
        }
    }

    [Fact]
    public void Compacting_in_format_v2_gives_what_compacting_in_format_v1_gives()
    {
        foreach (var document in Vectors.Documents)
        {
            var compact = Updates.CompactV1(document.Updates);
            AssertSame(UpdateV2.FromV1(compact), Updates.CompactV2(document.UpdatesV2), document.Id);
        }
    }

    [Fact]
    public void The_state_of_a_document_converts_both_ways()
    {
        foreach (var document in Vectors.Documents)
        {
            if (!document.Json.TryGetProperty("expect", out var expect)
                || expect.OptionalBytes("stateV1") is not { } v1 || expect.OptionalBytes("stateV2") is not { } v2)
            {
                continue;
            }
            AssertSame(v2, UpdateV2.FromV1(v1), $"{document}: state");
            AssertSame(Updates.ConvertV2ToV1(v2), Updates.DiffV1(v1, StateVector.Empty), $"{document}: state");
        }
    }

    /// <summary>How the vectors name an update in format v2.</summary>
    private readonly record struct Expected(byte[]? Bytes, string? Sha)
    {
        public bool Matches(byte[] actual) => Bytes is { } bytes ? bytes.AsSpan().SequenceEqual(actual) : Sha == Vectors.Sha(actual);
    }

    private static void ForEachUpdate(Action<ReadOnlyMemory<byte>, Expected, string> check)
    {
        Assert.NotEmpty(Vectors.Documents);
        foreach (var document in Vectors.Documents)
        {
            foreach (var (i, update) in document.Json.GetProperty("updates").EnumerateArray().Index())
                check(document.Updates[i], new Expected(update.OptionalBytes("v2"), update.OptionalText("v2sha")), $"{document} update {i}");
        }
    }

    private static void AssertSha(JsonElement expected, string property, byte[] actual, DocumentCase document)
    {
        if (expected.OptionalText(property) is { } sha)
            Assert.True(sha == Vectors.Sha(actual), $"{document}: {property} differs from yjs ({actual.Length} bytes)");
    }

    private static void AssertSame(byte[] expected, byte[] actual, string what) =>
        Assert.True(
            expected.AsSpan().SequenceEqual(actual),
            $"{what}: expected {Convert.ToHexString(expected)}, got {Convert.ToHexString(actual)}");
}
