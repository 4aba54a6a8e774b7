using System.Diagnostics;
using System.Text.Json;

namespace Collab.Crdt.Tests;

/// <summary>Hostile and broken updates are refused, cheaply; odd ones that Yjs clients understand are not.</summary>
public sealed class VectorMalformedTests
{
    // Odd, but Yjs integrates them without harm, so an application may have stored them.
    private static readonly HashSet<string> Accepted =
    [
        "good-v1", "varuint-nonminimal", "string-bom", "gc-with-flags", "parent-is-gc", "origin-cycle-2-clients",
        "origins-in-different-parents", "right-before-left", "zero-len-string", "ds-beyond-state", "ds-len-0", "ds-unknown-client",
        "dup-client-sections", "proto-key", "root-as-map-and-text", "format-in-map", "conflict-quadratic-6k", "conflict-quadratic-asc",
        "v2-good", "v2-flag-1",
    ];

    // Yjs takes these, to the harm of the document, of its clients, or of other implementations (docs/engine.md).
    private static readonly HashSet<string> RefusedThoughYjsAccepts =
    [
        "trailing-bytes", "any-depth-1000", "parent-not-a-type", "parent-self", "origin-self", "origin-future", "zero-len-any",
        "zero-len-gc", "zero-len-deleted", "gc-len-2^53", "gc-len-2^32", "start-clock-2^53", "deleted-len-2^40", "ds-overflow",
        "types-depth-20k", "types-depth-20k-deleted", "v2-rle-structs-1e6", "v2-strings-short",
    ];

    public static TheoryData<string> Cases =>
        [.. Vectors.Malformed.Select(malformed => malformed.GetProperty("name").GetString()!)];

    [Theory, MemberData(nameof(Cases))]
    public void A_hostile_update_is_refused_and_an_odd_one_accepted(string name)
    {
        var update = Update(name);
        var fault = Validate(name, update);
        if (Accepted.Contains(name))
            Assert.Null(fault);
        else if (RefusedThoughYjsAccepts.Contains(name) || YjsRefuses(name))
            Assert.NotNull(fault);
        if (fault is { } found)
        {
            Assert.InRange(found.Offset, 0, update.Length);
            Assert.NotEmpty(found.Message);
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void Every_operation_gives_a_result_or_the_one_exception(string name)
    {
        var update = Update(name);
        Surviving.AllOperations(update, name);
        Surviving.AllOperationsV2(update, name);
    }

    [Theory, MemberData(nameof(Cases))]
    public void Validation_costs_less_than_50_ms_and_16_MB(string name)
    {
        var update = Update(name);
        // The best of some: the first compiles, and a busy machine may interrupt others.
        var (best, allocated) = (TimeSpan.MaxValue, long.MaxValue);
        for (var i = 0; i < 20 && (i < 3 || best > TimeSpan.FromMilliseconds(50)); i++)
        {
            var (before, started) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.GetTimestamp());
            Validate(name, update);
            var elapsed = Stopwatch.GetElapsedTime(started);
            best = elapsed < best ? elapsed : best;
            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.InRange(allocated, 0, 16 * 1024 * 1024);
        Assert.InRange(best, TimeSpan.Zero, TimeSpan.FromMilliseconds(50));
    }

    private static UpdateFault? Validate(string name, byte[] update) =>
        Case(name).TryGetProperty("v", out var version) && version.GetInt32() == 2
            ? Updates.ValidateV2(update, UpdateLimits.Default)
            : Updates.ValidateV1(update, UpdateLimits.Default);

    private static bool YjsRefuses(string name) => !Case(name).OptionalText("yjs")?.StartsWith("ACCEPT", StringComparison.Ordinal) ?? false;

    private static byte[] Update(string name) => Convert.FromHexString(Case(name).GetProperty("hex").GetString()!);

    private static JsonElement Case(string name) => Vectors.Malformed.First(malformed => malformed.OptionalText("name") == name);
}
