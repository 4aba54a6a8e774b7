namespace Collab.Crdt.Tests.Documents;

/// <summary>Transactions bundle edits; they do not nest, exclude one another and end whatever happens.</summary>
public sealed class TransactionTests
{
    private readonly Doc _doc = new();
    private readonly List<byte[]> _updates = [];

    public TransactionTests() => _doc.ObserveUpdatesV1(update => _updates.Add(update.Update));

    private Text Text => _doc.GetText("text");

    [Fact]
    public void Edits_of_a_transaction_are_one_update()
    {
        using (_doc.WriteTransaction())
        {
            Text.Insert(0, "one ");
            _doc.GetMap("map").Set("k", 1);
            Assert.Empty(_updates);
        }
        Assert.Single(_updates);
    }

    [Fact]
    public void An_edit_outside_of_a_transaction_is_one_of_its_own()
    {
        Text.Insert(0, "one");
        Text.Insert(3, "two");
        Assert.Equal(2, _updates.Count);
    }

    [Fact]
    public void A_transaction_that_changes_nothing_emits_nothing()
    {
        _doc.Transact(_ => Text.Insert(0, ""));
        Assert.Empty(_updates);
    }

    [Fact]
    public void A_second_transaction_is_refused_with_the_reason_and_the_first_goes_on()
    {
        using (_doc.WriteTransaction())
        {
            Text.Insert(0, "a");
            var refused = Assert.Throws<InvalidOperationException>(() => _doc.WriteTransaction());
            Assert.Contains("transactions do not nest", refused.Message, StringComparison.Ordinal);
            Assert.Throws<InvalidOperationException>(() => _doc.Transact(_ => Text.Insert(0, "never")));
            Assert.Throws<InvalidOperationException>(() => _doc.ReadTransaction());
            Text.Insert(1, "b");
        }
        Assert.Equal("ab", Text.ToString());
        Assert.Single(_updates);
    }

    [Fact]
    public void An_update_applied_in_a_transaction_belongs_to_it()
    {
        using var other = new Doc();
        other.GetText("text").Insert(0, "other");
        using (_doc.WriteTransaction())
        {
            Text.Insert(0, "own ");
            _doc.ApplyV1(other.StateDiffV1());
        }
        Assert.Single(_updates);
        using var replica = new Doc();
        replica.ApplyV1(_updates[0]);
        Assert.Equal(Text.ToString(), replica.GetText("text").ToString());
    }

    [Fact]
    public void Nothing_can_be_written_while_a_read_transaction_is_open()
    {
        using var other = new Doc();
        other.GetText("text").Insert(0, "other");
        Text.Insert(0, "before");
        var state = _doc.StateDiffV1();
        using (_doc.ReadTransaction())
        {
            Assert.Throws<InvalidOperationException>(() => Text.Insert(0, "no"));
            Assert.Throws<InvalidOperationException>(() => _doc.GetMap("map").Set("k", 1));
            Assert.Throws<InvalidOperationException>(() => _doc.WriteTransaction());
            Assert.Throws<InvalidOperationException>(() => _doc.ApplyV1(other.StateDiffV1()));
            Assert.Equal("before", Text.ToString());
            Assert.Equal(state, _doc.StateDiffV1());
        }
        Text.Insert(6, " after");
        Assert.Equal("before after", Text.ToString());
    }

    [Fact]
    public void Read_transactions_nest()
    {
        using (_doc.ReadTransaction())
        {
            using (_doc.ReadTransaction())
                Assert.Equal("", Text.ToString());
            Assert.Throws<InvalidOperationException>(() => Text.Insert(0, "no"));
        }
        Text.Insert(0, "yes");
        Assert.Equal("yes", Text.ToString());
    }

    [Fact]
    public void A_body_that_throws_keeps_what_it_did_before_and_ends_its_transaction()
    {
        Assert.Throws<FormatException>(() => _doc.Transact(_ =>
        {
            Text.Insert(0, "kept");
            throw new FormatException();
        }));
        Assert.Equal("kept", Text.ToString());
        Assert.Single(_updates);
        Text.Insert(4, "!");
        Assert.Equal("kept!", Text.ToString());
    }

    [Fact]
    public void Ending_a_transaction_twice_is_harmless()
    {
        var transaction = _doc.WriteTransaction();
        Text.Insert(0, "a");
        transaction.Commit();
        transaction.Dispose();
        Assert.Single(_updates);
        Text.Insert(1, "b");
        Assert.Equal("ab", Text.ToString());
    }

    [Fact]
    public void The_origin_and_whether_it_is_local_are_told()
    {
        var told = new List<(object?, bool)>();
        _doc.ObserveAfterTransaction(transaction => told.Add((transaction.Origin, transaction.Local)));
        using var other = new Doc();
        other.GetText("text").Insert(0, "other");

        _doc.Transact(_ => Text.Insert(0, "a"), "here");
        _doc.ApplyV1(other.StateDiffV1(), "there");
        Assert.Equal([("here", true), ("there", false)], told);
    }

    [Fact]
    public void A_value_is_returned_from_the_body() =>
        Assert.Equal(3, _doc.Transact(_ =>
        {
            Text.Insert(0, "abc");
            return Text.Length;
        }));
}
