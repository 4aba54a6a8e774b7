namespace Collab.Crdt.Tests.Documents;

/// <summary>A handler that throws is told of at the end and spoils nothing: not the document, not the other handlers.</summary>
public sealed class HandlerTests
{
    private static readonly Action<object?> Throws = static _ => throw new FormatException("from a handler");

    private readonly Doc _doc = Dump.NewDoc(1, gc: true);
    private readonly Doc _replica = Dump.NewDoc(2, gc: true);

    public static TheoryData<string> Events =>
        ["before transaction", "type", "deep", "after transaction", "update v1", "update v2", "subdocuments"];

    [Theory, MemberData(nameof(Events))]
    public void An_edit_is_whole_though_a_handler_throws(string which)
    {
        Subscribe(_doc, which);
        var failure = Assert.Throws<AggregateException>(Edit);
        Assert.All(failure.InnerExceptions, inner => Assert.IsType<FormatException>(inner));
        Assert.NotEmpty(failure.InnerExceptions);
        AssertEdited(_doc);
        AssertLoads(_doc);
    }

    [Theory, MemberData(nameof(Events))]
    public void An_update_is_applied_as_a_whole_though_a_handler_throws(string which)
    {
        Edit();
        Subscribe(_replica, which);
        Assert.Throws<AggregateException>(() => _replica.ApplyV1(_doc.StateDiffV1()));
        AssertEdited(_replica);
        AssertLoads(_replica);
    }

    [Theory, MemberData(nameof(Events))]
    public void The_next_edit_works_after_a_handler_has_thrown(string which)
    {
        var subscription = Subscribe(_doc, which);
        Assert.Throws<AggregateException>(Edit);
        subscription.Dispose();
        _doc.GetText("text").Insert(0, "next ");
        Assert.Equal("next the text", _doc.GetText("text").ToString());
        AssertLoads(_doc);
    }

    [Theory, MemberData(nameof(Events))]
    public void The_other_handlers_are_called_though_one_throws(string which)
    {
        var called = new HashSet<string>();
        Subscribe(_doc, which);
        foreach (var other in Events)
            Subscribe(_doc, other, _ => called.Add(other));
        Assert.Throws<AggregateException>(Edit);
        Assert.Equal(Events.Count, called.Count);
    }

    [Fact]
    public void What_several_handlers_throw_is_told_together()
    {
        foreach (var which in Events)
            Subscribe(_doc, which);
        Assert.Equal(Events.Count, Assert.Throws<AggregateException>(Edit).InnerExceptions.Count);
    }

    [Fact]
    public void A_disposed_subscription_is_not_called()
    {
        foreach (var which in Events)
            Subscribe(_doc, which).Dispose();
        Edit();
        AssertEdited(_doc);
    }

    [Fact]
    public void A_handler_may_edit_and_its_edit_is_a_transaction_of_its_own()
    {
        var updates = new List<byte[]>();
        _doc.ObserveUpdatesV1(update => updates.Add(update.Update));
        _doc.GetText("text").Observe(_ =>
        {
            if (_doc.GetArray("arr").Length == 0)
                _doc.GetArray("arr").Push("from the handler");
        });
        _doc.GetText("text").Insert(0, "a");
        Assert.Equal(2, updates.Count);
        foreach (var update in updates)
            _replica.ApplyV1(update);
        Assert.Equal(Dump.Of(_doc), Dump.Of(_replica));
        Assert.Equal(1, _replica.GetArray("arr").Length);
    }

    [Fact]
    public void A_handler_may_apply_an_update()
    {
        _replica.GetText("text").Insert(0, "other ");
        var once = true;
        _doc.ObserveAfterTransaction(_ =>
        {
            if (!once)
                return;
            once = false;
            _doc.ApplyV1(_replica.StateDiffV1());
        });
        _doc.GetMap("map").Set("k", 1);
        Assert.Equal("other ", _doc.GetText("text").ToString());
        AssertLoads(_doc);
    }

    [Fact]
    public void A_handler_may_subscribe_and_unsubscribe_while_it_is_called()
    {
        var calls = 0;
        IDisposable? self = null;
        self = _doc.GetText("text").Observe(_ =>
        {
            calls++;
            self!.Dispose();
            _doc.GetText("text").Observe(_ => calls += 10);
        });
        _doc.GetText("text").Insert(0, "a");
        Assert.Equal(1, calls);
        _doc.GetText("text").Insert(0, "b");
        Assert.Equal(11, calls);
    }

    private static IDisposable Subscribe(Doc doc, string which) => Subscribe(doc, which, Throws);

    private static IDisposable Subscribe(Doc doc, string which, Action<object?> handler) => which switch
    {
        "before transaction" => doc.ObserveBeforeTransaction(handler),
        "type" => doc.GetText("text").Observe(handler),
        "deep" => doc.GetMap("map").ObserveDeep(handler),
        "after transaction" => doc.ObserveAfterTransaction(handler),
        "update v1" => doc.ObserveUpdatesV1(update => handler(update)),
        "update v2" => doc.ObserveUpdatesV2(update => handler(update)),
        _ => doc.ObserveSubDocs(handler),
    };

    private void Edit() => _doc.Transact(_ =>
    {
        _doc.GetText("text").Insert(0, "the text");
        _doc.GetMap("map").Set("sub", new Doc(new DocOptions { Guid = "guid" }));
        _doc.GetText("rich").Insert(0, "bold", new Dictionary<string, Any> { ["bold"] = true });
        _doc.GetText("rich").Delete(1, 2);
    });

    private static void AssertEdited(Doc doc)
    {
        Assert.Equal("the text", doc.GetText("text").ToString());
        Assert.Equal("guid", doc.GetMap("map")["sub"].AsDoc().Guid);
        Assert.Equal("bd", doc.GetText("rich").ToString());
    }

    private static void AssertLoads(Doc doc)
    {
        using var loaded = Dump.NewDoc(3, gc: true);
        loaded.ApplyV1(doc.StateDiffV1());
        Assert.Equal(Dump.Of(doc), Dump.Of(loaded));
        Assert.Equal(doc.StateVectorV1(), loaded.StateVectorV1());
    }
}
