using System.Text;

namespace Collab.Crdt.Tests;

/// <summary>Awareness as in y-protocols: who is here, what they say, and when they have gone.</summary>
public sealed class AwarenessTests : IDisposable
{
    private readonly TestTime _time = new();
    private readonly Awareness _ours;
    private readonly List<string> _changes = [], _updates = [];

    public AwarenessTests()
    {
        _ours = new Awareness(1, _time);
        _ours.ObserveChange(change => _changes.Add(Show(change)));
        _ours.ObserveUpdate(update => _updates.Add(Show(update)));
    }

    public void Dispose() => _ours.Dispose();

    [Fact]
    public void It_starts_with_an_empty_local_state_at_clock_0()
    {
        Assert.Equal("{}", _ours.LocalState.ToString());
        Assert.Equal(Update(1, 0, "{}"), _ours.EncodeUpdate());
    }

    [Fact]
    public void For_a_document_it_has_its_client_and_ends_with_it()
    {
        var doc = new Doc(new DocOptions { ClientId = 12 });
        using var awareness = new Awareness(doc, _time);
        Assert.Equal(12ul, awareness.ClientId);
        doc.Destroy();
        Assert.Null(awareness.LocalState);
    }

    [Fact]
    public void Setting_the_same_state_again_is_an_update_but_no_change()
    {
        _ours.SetLocalStateField("name", "Ω");
        _ours.LocalState = Any.FromObject(("name", "Ω"));
        Assert.Equal(["+[] ~[1] -[] local"], _changes);
        Assert.Equal(["+[] ~[1] -[] local", "+[] ~[1] -[] local"], _updates);
        Assert.Equal(Update(1, 2, """{"name":"Ω"}"""), _ours.EncodeUpdate([1]));
    }

    [Fact]
    public void Who_goes_and_comes_back_is_removed_and_added()
    {
        _ours.LocalState = null;
        _ours.SetLocalStateField("name", "nobody is here to have one");
        Assert.Null(_ours.LocalState);
        Assert.Equal(Update(1, 1, "null"), _ours.EncodeUpdate([1]));
        _ours.LocalState = Any.FromObject(("a", 1));
        Assert.Equal(["+[] ~[] -[1] local", "+[1] ~[] -[] local"], _changes);
    }

    [Fact]
    public void Newer_states_are_applied_and_older_ones_ignored()
    {
        _ours.ApplyUpdate(Update(2, 3, """{"a":1}"""), "net");
        _ours.ApplyUpdate(Update(2, 2, """{"a":2}"""), "net");
        _ours.ApplyUpdate(Update(2, 3, """{"a":3}"""), "net");
        _ours.ApplyUpdate(Update(2, 4, """{"a":1}"""), "net");
        _ours.ApplyUpdate(Update(2, 5, """{"a":5}"""), "net");
        _ours.ApplyUpdate(Update(2, 5, "null"), "net");
        _ours.ApplyUpdate(Update(2, 5, """{"a":5}"""), "net");
        Assert.Equal(["+[2] ~[] -[] net", "+[] ~[2] -[] net", "+[] ~[] -[2] net"], _changes);
        Assert.Equal(["+[2] ~[] -[] net", "+[] ~[2] -[] net", "+[] ~[2] -[] net", "+[] ~[] -[2] net"], _updates);
        Assert.Equal([1UL], _ours.States.Keys);
        Assert.Equal(5UL, _ours.Clocks[2]);
    }

    [Fact]
    public void Others_cannot_remove_the_local_state()
    {
        _ours.ApplyUpdate(Update(1, 0, "null"), "net");
        Assert.Equal(["+[] ~[] -[1] net"], _updates);
        Assert.Equal(Update(1, 1, "{}"), _ours.EncodeUpdate([1]));
        _ours.ApplyUpdate(Update(1, (1UL << 53) - 1, "null"), "net");
        Assert.Equal((1UL << 53) - 1, AwarenessUpdate.Decode(_ours.EncodeUpdate([1]))[0].Clock);
    }

    [Fact]
    public void Removed_states_keep_their_clock_and_the_local_one_raises_it()
    {
        _ours.ApplyUpdate(Update(2, 7, "1"));
        _ours.RemoveStates([1, 2, 3], "closed");
        Assert.Equal("+[] ~[] -[1,2] closed", _changes[^1]);
        Assert.Equal((1UL, 7UL), (_ours.Clocks[1], _ours.Clocks[2]));
        Assert.Empty(_ours.States);
        _ours.RemoveStates([2]);
        Assert.Equal(2, _updates.Count);
    }

    [Fact]
    public void Forgotten_clients_are_news_under_the_same_clock()
    {
        _ours.ApplyUpdate(Update(2, 7, "1"));
        _ours.ForgetOthers("left");
        Assert.Equal("+[] ~[] -[2] left", _changes[^1]);
        Assert.Equal([1UL], _ours.Clocks.Keys);

        _ours.ApplyUpdate(Update(2, 7, "1"), "net");

        Assert.Equal("+[2] ~[] -[] net", _changes[^1]);
        Assert.Equal([1UL, 2UL], _ours.States.Keys);
    }

    [Fact]
    public void The_local_state_is_renewed_and_silent_clients_are_removed()
    {
        _ours.ApplyUpdate(Update(2, 1, "{}"));
        _updates.Clear();
        _time.Advance(TimeSpan.FromSeconds(14));
        Assert.Empty(_updates);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["+[] ~[1] -[] local"], _updates);
        _time.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal(["+[] ~[1] -[] local", "+[] ~[1] -[] local", "+[] ~[] -[2] timeout"], _updates);
        Assert.Equal((2UL, 1UL), (_ours.Clocks[1], _ours.Clocks[2]));
    }

    [Fact]
    public void Nothing_happens_after_it_was_disposed_of()
    {
        _ours.Dispose();
        Assert.Equal(["+[] ~[] -[1] local"], _updates);
        Assert.False(_time.IsRunning);
        _ours.CheckOutdated();
        _ours.ApplyUpdate(Update(2, 1, "{}"));
        Assert.Single(_updates);
    }

    [Fact]
    public void Handlers_may_go_while_they_are_called()
    {
        var calls = 0;
        IDisposable? subscription = null;
        subscription = _ours.ObserveUpdate(_ =>
        {
            calls++;
            subscription!.Dispose();
            _ours.SetLocalStateField("from", "a handler");
        });
        _ours.SetLocalStateField("a", 1);
        Assert.Equal(1, calls);
        Assert.Equal(2, _updates.Count);
    }

    [Fact]
    public void A_broken_update_changes_nothing()
    {
        byte[] broken = [2, .. Update(2, 1, "{}")[1..], 3, 1, 2, .. "[}"u8];
        Assert.Equal(UpdateFaultKind.InvalidJson, Assert.Throws<InvalidUpdateException>(() => _ours.ApplyUpdate(broken)).Fault.Kind);
        Assert.Equal([1UL], _ours.States.Keys);
    }

    private static byte[] Update(ulong client, ulong clock, string json) =>
        AwarenessUpdate.Encode([new AwarenessState(client, clock, Encoding.UTF8.GetBytes(json))]);

    private static string Show(AwarenessChange change) =>
        $"+[{string.Join(',', change.Added)}] ~[{string.Join(',', change.Updated)}] -[{string.Join(',', change.Removed)}] {change.Origin}";
}
