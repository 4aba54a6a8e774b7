namespace Collab.Crdt.Tests.Snapshots;

/// <summary>States of a document by name: comparing them, reading them, going back to them.</summary>
public sealed class SnapshotTests
{
    private readonly Doc _doc = new(new DocOptions { ClientId = 7, Gc = false });
    private readonly Text _text;

    public SnapshotTests() => _text = _doc.GetText("text");

    [Fact]
    public void It_restores_the_document_as_it_was()
    {
        _text.Insert(0, "world!");
        var snapshot = _doc.Snapshot();
        _text.Insert(0, "hello ");
        _text.Delete(6, 5);
        using var restored = snapshot.ToDoc(_doc);
        Assert.Equal("world!", restored.GetText("text").ToString());
        Assert.Equal("hello !", _text.ToString());
    }

    [Fact]
    public void Restoring_only_reads_the_original()
    {
        _text.Insert(0, "ab");
        var snapshot = _doc.Snapshot();
        _text.Insert(2, "cd");
        using var subscription = _doc.ObserveBeforeTransaction(_ => Assert.Fail("A transaction has begun."));
        using var reading = _doc.ReadTransaction();
        using var restored = snapshot.ToDoc(_doc);
        Assert.Equal("ab", restored.GetText("text").ToString());
        Assert.Equal("ab", Assert.Single(_text.ToDelta(snapshot)).Value.AsString());
    }

    [Fact]
    public void A_document_that_drops_what_is_deleted_cannot_be_restored()
    {
        using var collecting = new Doc();
        var refused = Assert.Throws<InvalidOperationException>(() => collecting.Snapshot().ToDoc(collecting));
        Assert.Contains("Gc", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_snapshot_of_what_the_document_does_not_have_cannot_be_restored()
    {
        using var other = new Doc(new DocOptions { ClientId = 8, Gc = false });
        other.GetText("text").Insert(0, "x");
        Assert.Throws<InvalidOperationException>(() => other.Snapshot().ToDoc(_doc));
    }

    [Fact]
    public void The_restored_document_is_as_the_options_say()
    {
        _text.Insert(0, "a");
        using var restored = _doc.Snapshot().ToDoc(_doc, new DocOptions { ClientId = 99, Guid = "copy", Gc = false });
        Assert.Equal((99ul, "copy", false), (restored.ClientId, restored.Guid, restored.Gc));
    }

    [Fact]
    public void Values_that_json_cannot_say_come_back()
    {
        _text.InsertEmbed(0, Any.FromObject(("bytes", new byte[] { 1, 2 })));
        _doc.GetMap("map").Set("big", 5L);
        using var restored = _doc.Snapshot().ToDoc(_doc);
        Assert.Equal(_text.ToDelta()[0].Value, restored.GetText("text").ToDelta()[0].Value);
        Assert.Equal((Any)5L, restored.GetMap("map")["big"]);
    }

    [Fact]
    public void They_are_equal_when_nothing_has_happened_in_between()
    {
        _text.Insert(0, "abc");
        var first = _doc.Snapshot();
        Assert.Equal(first, _doc.Snapshot());
        Assert.Equal(first.GetHashCode(), _doc.Snapshot().GetHashCode());
        _text.Delete(0, 1);
        var second = _doc.Snapshot();
        Assert.True(first != second);
        _text.Insert(0, "x");
        Assert.True(second != _doc.Snapshot());
    }

    [Fact]
    public void The_empty_one_is_that_of_a_fresh_document() => Assert.Equal(Snapshot.Empty, new Doc().Snapshot());

    [Fact]
    public void It_does_not_change_with_the_document()
    {
        var snapshot = _doc.Snapshot();
        _text.Insert(0, "abc");
        Assert.Equal(Snapshot.Empty, snapshot);
    }

    [Fact]
    public void Both_formats_begin_with_the_deletes_and_end_with_the_state_vector()
    {
        _text.Insert(0, "abcdef");
        _text.Delete(1, 1);
        _text.Delete(3, 2);
        Assert.Equal([1, 7, 2, 1, 1, 4, 2, 1, 7, 6], _doc.Snapshot().EncodeV1());
        Assert.Equal([1, 7, 2, 1, 0, 2, 1, 1, 7, 6], _doc.Snapshot().EncodeV2());
    }

    [Fact]
    public void Deletes_in_any_order_are_read_as_the_same_set()
    {
        var snapshot = Snapshot.DecodeV1([1, 7, 3, 4, 2, 1, 1, 0, 0, 1, 7, 6]);
        Assert.Equal([1, 7, 2, 1, 1, 4, 2, 1, 7, 6], snapshot.EncodeV1());
    }

    [Fact]
    public void It_contains_the_updates_that_came_before_it_alone()
    {
        var updates = new List<byte[]>();
        using var subscription = _doc.ObserveUpdatesV1(happened => updates.Add(happened.Update));
        _text.Insert(0, "abc");
        _text.Delete(1, 1);
        var snapshot = _doc.Snapshot();
        _text.Insert(0, "x");
        _text.Delete(1, 1);
        Assert.Equal([true, true, false, false], updates.Select(update => snapshot.ContainsUpdateV1(update)));
        Assert.Equal([true, true, false, false], updates.Select(update => snapshot.ContainsUpdateV2(Updates.ConvertV1ToV2(update))));
    }

    [Fact]
    public void Random_bytes_give_a_snapshot_or_the_one_exception()
    {
        _text.Insert(0, "abcdef");
        var random = new Random(5);
        byte[] real = [1, 7, 2, 1, 1, 4, 2, 1, 7, 6];
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = real[..random.Next(real.Length + 1)];
            for (var flips = random.Next(4); flips > 0 && bytes.Length > 0; flips--)
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            Check(() => Snapshot.DecodeV1(bytes), snapshot => Snapshot.DecodeV1(snapshot.EncodeV1()));
            Check(() => Snapshot.DecodeV2(bytes), snapshot => Snapshot.DecodeV2(snapshot.EncodeV2()));
        }

        void Check(Func<Snapshot> decode, Func<Snapshot, Snapshot> again)
        {
            try
            {
                var snapshot = decode();
                Assert.Equal(snapshot, again(snapshot));
                _text.ToDelta(snapshot, Snapshot.Empty);
                snapshot.ToDoc(_doc).Dispose();
            }
            catch (InvalidUpdateException)
            {
                // What is no snapshot may say so,
            }
            catch (InvalidOperationException)
            {
                // and one of a state in which the document never was cannot be restored.
            }
        }
    }
}
