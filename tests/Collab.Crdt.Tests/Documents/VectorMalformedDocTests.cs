using System.Text.Json;
using Collab.Crdt.Tests.Oracle;

namespace Collab.Crdt.Tests.Documents;

/// <summary>A document refuses hostile and broken updates as a whole and stays as it was; odd ones it takes as yjs does.</summary>
public sealed class VectorMalformedDocTests(YjsOracle yjs) : IClassFixture<YjsOracle>
{
    // yjs loses the key of the one, and leaves the other waiting for ever.
    private static readonly string[] BeyondYjs = ["proto-key", "dup-client-sections"];

    private const int MostAllocated = 16 * 1024 * 1024;

    public static TheoryData<string> Cases => [.. Names];

    public static TheoryData<string> Refused => [.. Names.Where(name => Apply(NewDoc(), name) is not null)];

    public static TheoryData<string> AcceptedAsInYjs =>
        [.. Names.Where(name => Malformed.YjsAccepts(name) && !BeyondYjs.Contains(name) && Apply(NewDoc(), name) is null)];

    private static IEnumerable<string> Names => Vectors.Malformed.Select(malformed => malformed.Text("name"));

    [Theory, MemberData(nameof(Cases))]
    public void A_document_refuses_what_the_validation_refuses(string name)
    {
        using var doc = NewDoc();
        var update = Malformed.Bytes(name);
        var limits = UpdateLimits.Default;
        var fault = Malformed.IsV2(name) ? Updates.ValidateV2(update, limits) : Updates.ValidateV1(update, limits);
        Assert.Equal(ComesAboutByMerging(fault) ? null : fault, Apply(doc, name)?.Fault);
    }

    [Theory, MemberData(nameof(Refused))]
    public void A_refused_update_changes_nothing_and_is_told_to_nobody(string name)
    {
        using var doc = NewDoc();
        var (v1, v2, dump) = (doc.StateDiffV1(), doc.StateDiffV2(), Dump.Of(doc));
        var told = 0;
        doc.ObserveUpdatesV1(_ => told++);
        doc.GetText("text").Observe(_ => told++);
        Assert.NotNull(Apply(doc, name));
        Assert.Equal(0, told);
        Assert.Equal(v1, doc.StateDiffV1());
        Assert.Equal(v2, doc.StateDiffV2());
        Assert.Equal(dump, Dump.Of(doc));
        Assert.False(doc.HasPending);
    }

    [Theory, MemberData(nameof(Cases))]
    public void A_document_can_be_edited_and_synced_after_it(string name)
    {
        using var doc = NewDoc();
        Apply(doc, name);
        doc.GetText("other").Insert(0, "still here");
        using var replica = new Doc();
        replica.ApplyV1(doc.StateDiffV1());
        Assert.Equal("still here", replica.GetText("other").ToString());
    }

    [Theory, MemberData(nameof(AcceptedAsInYjs))]
    public async Task What_is_accepted_makes_the_document_of_yjs(string name)
    {
        using var doc = NewDoc();
        var before = doc.StateDiffV1();
        Assert.Null(Apply(doc, name));
        var update = (ReadOnlyMemory<byte>)Malformed.Bytes(name);
        var expected = Malformed.IsV2(name) ? await yjs.ApplyAsync(gc: true, [before], [update]) : await yjs.ApplyAsync(before, update);
        Assert.Equal(expected.Dump, Dump.Of(doc));
        Assert.Equal(StateVector.Decode(Convert.FromBase64String(expected.StateVector)), StateVector.Decode(doc.StateVectorV1()));
        Assert.Equal(expected.Pending, doc.HasPending);
    }

    [Theory, MemberData(nameof(Cases))]
    public void Applying_it_allocates_less_than_16_MB(string name)
    {
        Apply(NewDoc(), name);
        var doc = NewDoc();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Apply(doc, name);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MostAllocated);
    }

    [Fact]
    public void A_key_that_means_something_to_JavaScript_is_a_key_like_others()
    {
        using var doc = new Doc();
        doc.ApplyV1(Convert.FromHexString("01010100080103617272017601095f5f70726f746f5f5f760108706f6c6c757465647800"));
        Assert.Equal("{\"__proto__\":{\"polluted\":true}}", doc.GetArray("arr")[0].ToString());
    }

    [Fact]
    public void Two_sections_of_one_client_are_both_taken()
    {
        using var doc = new Doc();
        doc.ApplyV1(Convert.FromHexString("02010100040104746578740261620101020401047465787402636400"));
        Assert.Equal("cdab", doc.GetText("text").ToString());
        Assert.False(doc.HasPending);
    }

    // Two valid updates may become this when they are merged, so a document takes it; that no client sends it is for the
    // validation to see to.
    private static bool ComesAboutByMerging(UpdateFault? fault) => fault is { } found
        && (found.Kind == UpdateFaultKind.InvalidParent
            || (found.Kind == UpdateFaultKind.TooDeep && found.Message.Contains("shared types", StringComparison.Ordinal)));

    private static Doc NewDoc()
    {
        var doc = Dump.NewDoc(777, gc: true);
        doc.GetText("text").Insert(0, "before", new Dictionary<string, Any> { ["bold"] = true });
        doc.GetArray("arr").Push(1, "two", new Map([KeyValuePair.Create("k", (Any)3)]));
        doc.GetText("text").Delete(2, 2);
        return doc;
    }

    private static InvalidUpdateException? Apply(Doc doc, string name)
    {
        try
        {
            if (Malformed.IsV2(name))
                doc.ApplyV2(Malformed.Bytes(name));
            else
                doc.ApplyV1(Malformed.Bytes(name));
            return null;
        }
        catch (InvalidUpdateException refused)
        {
            return refused;
        }
    }

    private static class Malformed
    {
        public static byte[] Bytes(string name) => Convert.FromHexString(Case(name).Text("hex"));

        public static bool IsV2(string name) => Case(name).TryGetProperty("v", out var version) && version.GetInt32() == 2;

        public static bool YjsAccepts(string name) => Case(name).OptionalText("yjs")?.StartsWith("ACCEPT", StringComparison.Ordinal) ?? true;

        private static JsonElement Case(string name) => Vectors.Malformed.First(malformed => malformed.OptionalText("name") == name);
    }
}
