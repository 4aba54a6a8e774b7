namespace Collab.Crdt.Tests.Documents;

/// <summary>What holds for every document, whatever was edited in whatever order; without an oracle.</summary>
public sealed class ConvergenceTests
{
    private const int Sessions = 150;

    [Fact]
    public void Replicas_that_got_the_updates_in_different_orders_have_the_same_content() => ForEachSession(formats: false, editor =>
    {
        var docs = Enumerable.Range(0, 3).Select(_ => Deliver(editor.Shuffled())).ToArray();
        Assert.All(docs, doc => Assert.False(doc.HasPending));
        AssertSame(docs);
    });

    [Fact]
    public void Replicas_with_formats_have_the_same_content_once_they_have_told_one_another_what_they_cleaned_up() => ForEachSession(formats: true, editor =>
    {
        var docs = Enumerable.Range(0, 3).Select(_ => Deliver(editor.Shuffled())).ToArray();
        Assert.All(docs, doc => Assert.False(doc.HasPending));
        RandomEditor.Exchange(docs);
        AssertSame(docs);
    });

    [Fact]
    public void Replicas_that_edit_and_sync_end_with_the_same_content() => ForEachSession(formats: true, editor =>
    {
        RandomEditor.Exchange(editor.Docs);
        AssertSame([.. editor.Docs]);
    });

    [Fact]
    public void Applying_the_same_updates_again_changes_nothing_and_tells_nobody() => ForEachSession(formats: true, editor =>
    {
        var updates = editor.Shuffled();
        using var doc = Deliver(updates);
        var (state, dump, told) = (doc.StateDiffV1(), Dump.Of(doc), 0);
        doc.ObserveUpdatesV1(_ => told++);
        doc.GetText("rich").ObserveDeep(_ => told++);
        foreach (var update in updates.Reverse())
            doc.ApplyV1(update);
        Assert.Equal(0, told);
        Assert.Equal(dump, Dump.Of(doc));
        Assert.Equal(state, doc.StateDiffV1());
    });

    [Fact]
    public void Merged_updates_make_the_document_that_they_make_one_by_one() => ForEachSession(formats: false, editor =>
    {
        using var merged = Deliver([Updates.MergeV1([.. editor.Shuffled().Select(update => (ReadOnlyMemory<byte>)update)])]);
        using var one = Deliver(editor.Updates);
        AssertSame(merged, one);
    });

    [Fact]
    public void Both_formats_make_the_same_document() => ForEachSession(formats: true, editor =>
    {
        using var v1 = Deliver(editor.Updates);
        using var v2 = Dump.NewDoc(2, gc: true);
        foreach (var update in editor.Updates)
            v2.ApplyV2(Updates.ConvertV1ToV2(update));
        AssertSame(v1, v2);
        Assert.Equal(v1.StateDiffV1(), v2.StateDiffV1());
    });

    [Fact]
    public void A_state_is_the_same_when_it_was_loaded() => ForEachSession(formats: true, editor =>
    {
        foreach (var doc in editor.Docs)
        {
            using var loaded = Deliver([doc.StateDiffV1()]);
            AssertSame(doc, loaded);
        }
    });

    [Fact]
    public void A_document_without_collection_has_the_content_of_one_with_it() => ForEachSession(formats: false, editor =>
    {
        using var kept = Dump.NewDoc(1, gc: false);
        foreach (var update in editor.Updates)
            kept.ApplyV1(update);
        using var collected = Deliver(editor.Updates);
        AssertSame(kept, collected);
    });

    [Fact]
    public void What_is_undone_is_as_it_was_and_what_is_redone_as_it_was_after() => ForEachSession(formats: false, editor =>
    {
        foreach (var doc in editor.Docs)
        {
            using var manager = new UndoManager([.. Dump.RootNames.Select(name => Dump.Root(doc, name))], new UndoOptions { CaptureTimeout = TimeSpan.Zero });
            var before = Dump.Of(doc);
            doc.Transact(_ =>
            {
                doc.GetText("text").Insert(0, "some");
                doc.GetText("text").Delete(0, doc.GetText("text").Length);
                doc.GetMap("map").Set("a", "other");
                doc.GetArray("arr").Insert(0, 1, new Text("n"));
            });
            var after = Dump.Of(doc);
            manager.Undo();
            Assert.Equal(before, Dump.Of(doc));
            manager.Redo();
            Assert.Equal(after, Dump.Of(doc));
        }
    });

    private static Doc Deliver(IEnumerable<byte[]> updates)
    {
        var doc = Dump.NewDoc(1, gc: true);
        doc.ClientId = 1UL << 40;
        foreach (var update in updates)
            doc.ApplyV1(update);
        return doc;
    }

    private static void AssertSame(params Doc[] docs)
    {
        foreach (var doc in docs[1..])
        {
            Assert.Equal(Dump.Of(docs[0]), Dump.Of(doc));
            Assert.Equal(docs[0].StateVectorV1(), doc.StateVectorV1());
        }
    }

    private static void ForEachSession(bool formats, Action<RandomEditor> check)
    {
        for (var seed = 0; seed < Sessions; seed++)
        {
            using var editor = new RandomEditor(seed, formats);
            try
            {
                check(editor);
            }
            catch (Exception failure)
            {
                Assert.Fail($"seed {seed}: {failure}");
            }
        }
    }
}
