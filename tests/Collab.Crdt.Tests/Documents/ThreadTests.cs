namespace Collab.Crdt.Tests.Documents;

/// <summary>A document belongs to one thread at a time; when two use it at once this is noticed, and it stays whole.</summary>
public sealed class ThreadTests
{
    private readonly Doc _doc = new();

    [Fact]
    public void A_second_thread_cannot_write_while_a_transaction_is_open()
    {
        using (_doc.WriteTransaction())
        {
            _doc.GetText("text").Insert(0, "mine");
            OnOtherThread(() => Assert.Throws<InvalidOperationException>(() => _doc.GetText("text").Insert(0, "yours")));
            OnOtherThread(() => Assert.Throws<InvalidOperationException>(() => _doc.WriteTransaction()));
            OnOtherThread(() => Assert.Throws<InvalidOperationException>(() => _doc.ApplyV1(Updates.EmptyV1)));
        }
        Assert.Equal("mine", _doc.GetText("text").ToString());
    }

    [Fact]
    public void A_second_thread_cannot_read_while_a_transaction_is_open()
    {
        var text = _doc.GetText("text");
        using (_doc.WriteTransaction())
        {
            text.Insert(0, "half");
            OnOtherThread(() => Assert.Throws<InvalidOperationException>(() => text.ToString()));
            OnOtherThread(() => Assert.Throws<InvalidOperationException>(() => text.Length));
            OnOtherThread(() => Assert.Throws<InvalidOperationException>(() => _doc.StateDiffV1()));
            OnOtherThread(() => Assert.Throws<InvalidOperationException>(() => _doc.StateVectorV1()));
            OnOtherThread(() => Assert.Throws<InvalidOperationException>(() => _doc.ToJson()));
            OnOtherThread(() => Assert.Throws<InvalidOperationException>(() => _doc.ReadTransaction()));
        }
        OnOtherThread(() => Assert.Equal("half", text.ToString()));
    }

    [Fact]
    public void A_second_thread_cannot_write_while_another_reads_in_a_transaction()
    {
        using (_doc.ReadTransaction())
            OnOtherThread(() => Assert.Throws<InvalidOperationException>(() => _doc.GetText("text").Insert(0, "no")));
        OnOtherThread(() => _doc.GetText("text").Insert(0, "yes"));
        Assert.Equal("yes", _doc.GetText("text").ToString());
    }

    [Fact]
    public void Threads_may_take_turns()
    {
        for (var i = 0; i < 20; i++)
            OnOtherThread(() => _doc.GetArray("arr").Push(1));
        Assert.Equal(20, _doc.GetArray("arr").Length);
    }

    [Fact]
    public void Threads_that_write_at_once_are_refused_or_succeed_and_the_document_stays_whole()
    {
        const int Each = 3000;
        var done = new int[4];
        Parallel.For(0, done.Length, thread =>
        {
            for (var i = 0; i < Each; i++)
            {
                try
                {
                    _doc.GetText("text").Insert(0, "x");
                    done[thread]++;
                }
                catch (InvalidOperationException)
                {
                    // Another thread was at work in it.
                }
            }
        });
        Assert.Equal(new string('x', done.Sum()), _doc.GetText("text").ToString());
        using var replica = new Doc();
        replica.ApplyV1(_doc.StateDiffV1());
        Assert.Equal(done.Sum(), replica.GetText("text").Length);
    }

    private static void OnOtherThread(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(action));
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }
}
