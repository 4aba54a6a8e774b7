using System.Text.Json;

namespace Collab.Crdt.Tests.Documents;

/// <summary>
/// Damaged bytes at every door of a document: each is refused with the one exception, which leaves the document as it was, or
/// is taken and leaves a document that others can load. <c>COLLAB_LONG=1</c> tries 10 million inputs, other ones each time.
/// </summary>
public sealed class VectorDecoderFuzzTests
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("COLLAB_LONG") == "1";

    // Of the inputs of a long run: most for updates, which have the most to go wrong.
    private static readonly (int Updates, int Others) Inputs = IsLong ? (3_500_000, 500_000) : (15_000, 10_000);

    [Fact]
    public void Damaged_updates_in_format_v1_are_refused_as_a_whole_or_taken() =>
        FuzzUpdates(1, update => update, (doc, update) => doc.ApplyV1(update));

    [Fact]
    public void Damaged_updates_in_format_v2_are_refused_as_a_whole_or_taken() =>
        FuzzUpdates(2, update => Updates.ConvertV1ToV2(update), (doc, update) => doc.ApplyV2(update));

    [Fact]
    public void Damaged_state_vectors_are_refused_or_answered_with_a_valid_difference()
    {
        var random = NewRandom(3);
        var documents = Vectors.Documents;
        for (var i = 0; i < Inputs.Others; i++)
        {
            var document = documents[random.Next(documents.Count)];
            using var doc = Half(document);
            var known = document.Expect.Bytes("svBytes");
            for (var tries = 0; tries < 20; tries++, i++)
            {
                var input = Mutations.Damage(random, known, known);
                Try(document.Id, input, () => Assert.Null(Updates.ValidateV1(doc.StateDiffV1(input), UpdateLimits.Default)));
                Try(document.Id, input, () => Assert.Null(Updates.ValidateV2(doc.StateDiffV2(input), UpdateLimits.Default)));
            }
        }
    }

    [Fact]
    public void Damaged_awareness_updates_are_refused_as_a_whole_or_taken()
    {
        var random = NewRandom(4);
        var updates = Samples(Vectors.Protocol.SelectMany(protocol => protocol.Items("awareness")), "update");
        Assert.NotEmpty(updates);
        // Time stands still: a long run takes longer than a state lasts.
        using var awareness = new Awareness(1, new TestTime());
        for (var i = 0; i < Inputs.Others; i++)
        {
            var input = Mutations.Damage(random, updates[random.Next(updates.Length)], updates[random.Next(updates.Length)]);
            var before = Text(awareness);
            if (!Try("awareness", input, () => awareness.ApplyUpdate(input)))
                Assert.True(before == Text(awareness), $"A refused update has changed something: {Convert.ToHexString(input)}");
        }
    }

    [Fact]
    public void Damaged_sync_messages_are_refused_or_read()
    {
        var random = NewRandom(5);
        byte[][] messages = [.. Vectors.Protocol.Select(protocol => protocol.GetProperty("sync"))
            .SelectMany(sync => new[] { "step1From2", "step2From1", "updateFrom2" }.Select(name => sync.GetProperty(name).Bytes()))];
        using var doc = Half(Vectors.Documents[0]);
        for (var i = 0; i < Inputs.Others; i++)
        {
            var input = Mutations.Damage(random, messages[random.Next(messages.Length)], messages[random.Next(messages.Length)]);
            Try("sync", input, () =>
            {
                var message = SyncMessage.Read(input);
                if (message.Kind == SyncMessageKind.SyncStep1)
                    doc.StateDiffV1(message.Payload);
                else
                    doc.ApplyV1(message.Payload);
            });
        }
    }

    [Fact]
    public void Damaged_positions_are_refused_or_lead_somewhere_or_nowhere()
    {
        var random = NewRandom(6);
        var positions = Samples(Vectors.Documents.SelectMany(document => document.Json.Items("relpos")), "bytes");
        Fuzz(random, positions, (doc, input) =>
        {
            var position = StickyIndex.Decode(input);
            position.Resolve(doc);
            Assert.Equal(position, StickyIndex.Decode(position.Encode()));
            Assert.Equal(position, StickyIndex.FromJson(position.ToJson()));
        });
    }

    [Theory, InlineData(1), InlineData(2)]
    public void Damaged_snapshots_are_refused_or_read(int format)
    {
        var random = NewRandom(6 + format);
        var snapshots = Samples(Vectors.Documents.SelectMany(document => document.Json.Items("snapshots")), $"v{format}");
        Fuzz(random, snapshots, (doc, input) =>
        {
            var snapshot = format == 1 ? Snapshot.DecodeV1(input) : Snapshot.DecodeV2(input);
            Assert.Equal(snapshot, Snapshot.DecodeV1(snapshot.EncodeV1()));
            doc.GetText("text").ToDelta(snapshot);
        });
    }

    // Damages the samples and tries them on a document of the vectors.
    private static void Fuzz(Random random, byte[][] samples, Action<Doc, byte[]> action)
    {
        Assert.NotEmpty(samples);
        Doc[] docs = [.. Vectors.Documents.Where(document => !document.Gc).Take(10).Select(Half)];
        for (var i = 0; i < Inputs.Others; i++)
        {
            var input = Mutations.Damage(random, samples[random.Next(samples.Length)], samples[random.Next(samples.Length)]);
            Try("sample", input, () => action(docs[i % docs.Length], input));
        }
    }

    private static void FuzzUpdates(int seed, Func<byte[], byte[]> format, Action<Doc, byte[]> apply)
    {
        var random = NewRandom(seed);
        var documents = Vectors.Documents;
        Assert.NotEmpty(documents);
        for (var i = 0; i < Inputs.Updates;)
        {
            var document = documents[random.Next(documents.Count)];
            using var doc = Half(document);
            var before = doc.StateDiffV1();
            for (var tries = 0; tries < 40; tries++, i++)
            {
                var update = format(document.Updates[random.Next(document.Updates.Count)].ToArray());
                var other = documents[random.Next(documents.Count)].Updates[0];
                var input = Mutations.Damage(random, update, format(other.ToArray()));
                if (Try(document.Id, input, () => apply(doc, input)))
                {
                    Try(document.Id, input, () => AssertOthersCanLoad(doc), mayRefuse: false);
                    break;
                }
                Assert.True(
                    before.AsSpan().SequenceEqual(doc.StateDiffV1()),
                    $"{document}: a refused update has changed something: {Convert.ToHexString(input)}");
            }
        }
    }

    private static void AssertOthersCanLoad(Doc doc)
    {
        var state = doc.StateDiffV1();
        using var other = Dump.NewDoc(1, doc.Gc);
        other.ApplyV1(state);
        if (!doc.HasPendingStructs)
        {
            // Of what waits here though it is known, because the input has it once more in another form, only the end goes along.
            Assert.Equal(doc.StateVectorV1(), other.StateVectorV1());
            Assert.False(other.HasPendingStructs);
        }
        using var inV2 = Dump.NewDoc(1, doc.Gc);
        inV2.ApplyV2(doc.StateDiffV2());
        // Not the content: format v1 has no undefined, bytes or 64-bit integers in embeds and formats.
        Assert.Equal(other.StateVectorV1(), inV2.StateVectorV1());
        Assert.NotEmpty(Dump.Of(other) + Dump.Of(inV2));
    }

    // True when it was taken.
    private static bool Try(string what, byte[] input, Action action, bool mayRefuse = true)
    {
        try
        {
            action();
            return true;
        }
        catch (InvalidUpdateException) when (mayRefuse)
        {
            return false;
        }
#pragma warning disable CA1031 // Any other exception fails the test, with its input.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Assert.Fail($"{what}, input {Convert.ToHexString(input)}: {exception}");
            throw;
        }
    }

    private static Doc Half(DocumentCase document)
    {
        var doc = Dump.NewDoc(1, document.Gc);
        foreach (var update in document.Updates.Take(document.Updates.Count / 2))
            doc.ApplyV1(update.Span);
        return doc;
    }

    private static byte[][] Samples(IEnumerable<JsonElement> cases, string property) => [.. cases.Select(sample => sample.Bytes(property))];

    private static string Text(Awareness awareness) =>
        string.Join(' ', awareness.States.Select(state => $"{state.Key} {state.Value} {awareness.Clocks[state.Key]}"));

    private static Random NewRandom(int seed) => new(IsLong ? Random.Shared.Next() : seed);
}
