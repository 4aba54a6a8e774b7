namespace Collab.Crdt.Tests.Attribution;

/// <summary>Who has written and deleted what, as the document itself says.</summary>
public sealed class UserAttributionTests
{
    private readonly Doc _doc = new(new DocOptions { ClientId = 7 });
    private readonly UserAttribution _users;

    public UserAttributionTests() => _users = new UserAttribution(_doc);

    [Fact]
    public void A_client_is_a_users_once_he_has_said_so()
    {
        Assert.Null(_users.UserOfClient(7));
        _users.SetLocalUser("Ada");
        Assert.Equal("Ada", _users.UserOfClient(7));
    }

    [Fact]
    public void What_the_local_user_deletes_is_his()
    {
        _users.SetLocalUser("Ada");
        var text = _doc.GetText("text");
        text.Insert(0, "abc");
        var before = StateVector.Decode(_doc.StateVectorV1())[7] - 3;
        text.Delete(1, 1);
        Assert.Equal([null, "Ada", null], Enumerable.Range(0, 3).Select(unit => _users.UserOfDeleted(7, before + (uint)unit)));
    }

    [Fact]
    public void What_others_delete_is_not_the_local_users()
    {
        _users.SetLocalUser("Ada");
        _doc.GetText("text").Insert(0, "abc");
        using var other = Replica(8);
        other.GetText("text").Delete(0, 3);
        var clock = StateVector.Decode(_doc.StateVectorV1())[7] - 3;
        _doc.ApplyV1(other.StateDiffV1());
        Assert.Null(_users.UserOfDeleted(7, clock));
    }

    [Fact]
    public void The_application_may_leave_transactions_out()
    {
        _users.SetLocalUser("Ada", transaction => transaction.Origin as string != "clean-up");
        var text = _doc.GetText("text");
        text.Insert(0, "abc");
        var clock = StateVector.Decode(_doc.StateVectorV1())[7] - 3;
        _doc.Transact(_ => text.Delete(0, 1), "clean-up");
        Assert.Null(_users.UserOfDeleted(7, clock));
    }

    [Fact]
    public void Other_replicas_learn_of_it_as_it_happens()
    {
        using var other = Replica(8);
        var users = new UserAttribution(other);
        _users.SetLocalUser("Ada");
        _doc.GetText("text").Insert(0, "abc");
        var clock = StateVector.Decode(_doc.StateVectorV1())[7] - 3;
        _doc.GetText("text").Delete(0, 1);
        other.ApplyV1(_doc.StateDiffV1());
        Assert.Equal("Ada", users.UserOfClient(7));
        _doc.GetText("text").Delete(0, 1);
        other.ApplyV1(_doc.StateDiffV1());
        Assert.Equal(["Ada", "Ada", null], Enumerable.Range(0, 3).Select(unit => users.UserOfDeleted(7, clock + (uint)unit)));
    }

    [Fact]
    public void A_user_who_begins_on_two_replicas_at_once_keeps_the_clients_and_the_deletes_of_both()
    {
        using var other = Replica(8);
        using var users = new UserAttribution(other);
        foreach (var (doc, attribution) in new[] { (_doc, _users), (other, users) })
        {
            attribution.SetLocalUser("Ada");
            doc.GetText("text").Insert(0, "abc");
            doc.GetText("text").Delete(0, 3);
        }
        for (var round = 0; round < 3; round++)
        {
            _doc.ApplyV1(other.StateDiffV1());
            other.ApplyV1(_doc.StateDiffV1());
        }
        using var third = Replica(9);
        using var read = new UserAttribution(third);
        Assert.Equal([7ul, 8ul], read.Clients.Keys.Order());
        Assert.All(new ulong[] { 7, 8 }, client => Assert.Contains(Enumerable.Range(0, 10), clock => read.UserOfDeleted(client, (uint)clock) == "Ada"));
        Assert.Equal(_doc.GetMap("users").ToJson(), other.GetMap("users").ToJson());
    }

    [Fact]
    public void Another_local_user_takes_the_place_of_the_one_before()
    {
        _users.SetLocalUser("Ada");
        _users.SetLocalUser("Bob");
        var text = _doc.GetText("text");
        text.Insert(0, "a");
        var clock = StateVector.Decode(_doc.StateVectorV1())[7] - 1;
        text.Delete(0, 1);
        Assert.Equal("Bob", _users.UserOfDeleted(7, clock));
        Assert.Equal("Bob", _users.UserOfClient(7));
    }

    [Fact]
    public void It_ends_when_it_is_disposed_of()
    {
        _users.SetLocalUser("Ada");
        _users.Dispose();
        var before = _doc.GetMap("users").ToJson();
        _doc.GetText("text").Insert(0, "a");
        _doc.GetText("text").Delete(0, 1);
        Assert.Equal(before, _doc.GetMap("users").ToJson());
    }

    [Fact]
    public void What_does_not_look_like_a_user_is_ignored()
    {
        using var doc = new Doc();
        var map = doc.GetMap("users");
        map.Set("number", 1);
        map.Set("empty", new Map());
        map.Set("halfway", new Map([new("ids", new YArray(1)), new("ds", "text")]));
        using var users = new UserAttribution(doc);
        map.Set("odd", new Map([
            new("ids", new YArray("x", -1, 0.5, Any.Null, 12)),
            new("ds", new YArray(new byte[] { 255 }, new byte[] { 1, 9, 2, 0, 1, 255 }, "x", new byte[] { 1, 5, 1, 0, 2 })),
        ]));
        Assert.Equal([12ul], users.Clients.Keys);
        Assert.Equal("odd", users.UserOfDeleted(5, 1));
        Assert.Null(users.UserOfDeleted(9, 0));
    }

    [Fact]
    public void Any_map_of_the_document_will_do()
    {
        using var users = new UserAttribution(_doc.GetMap("authors"));
        users.AddClient(5, "Eve");
        Assert.Equal("Eve", users.UserOfClient(5));
        Assert.Null(_users.UserOfClient(5));
        Assert.Throws<InvalidOperationException>(() => new UserAttribution(new Map()));
    }

    private Doc Replica(ulong client)
    {
        var doc = new Doc(new DocOptions { ClientId = client });
        doc.ApplyV1(_doc.StateDiffV1());
        return doc;
    }
}
