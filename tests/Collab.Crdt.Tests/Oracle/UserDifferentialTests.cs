using System.Text.Json.Nodes;

namespace Collab.Crdt.Tests.Oracle;

/// <summary>Users in a document are told by yjs as they were written here, and here as yjs has written them.</summary>
public sealed class UserDifferentialTests(YjsOracle yjs) : IClassFixture<YjsOracle>
{
    [Fact]
    public async Task Yjs_reads_the_users_that_were_written_here()
    {
        using var doc = new Doc(new DocOptions { ClientId = 4_000_000_000 });
        using var users = new UserAttribution(doc);
        var text = doc.GetText("text");
        text.Insert(0, "abcdef");
        users.SetLocalUser("Ada");
        text.Delete(1, 2);
        text.Delete(3, 1);
        users.AddClient(5, "Bob");
        var answer = await yjs.AskAsync(new JsonObject
        {
            ["op"] = "readUsers",
            ["state"] = Convert.ToBase64String(doc.StateDiffV1()),
            ["clients"] = new JsonArray(4_000_000_000, 5, 6),
            ["deleted"] = new JsonArray([.. Enumerable.Range(0, 6).Select(clock => new JsonArray(4_000_000_000, clock))]),
        });
        Assert.Equal(["Ada", "Bob", null], answer["clients"]!.AsArray().Select(user => (string?)user));
        var deleted = answer["deleted"]!.AsArray().Select(user => (string?)user).ToArray();
        Assert.Equal<string?>([null, "Ada", "Ada", null, null, "Ada"], deleted.AsEnumerable());
        Assert.Equal(deleted, Enumerable.Range(0, 6).Select(clock => users.UserOfDeleted(4_000_000_000, (uint)clock)));
    }

    [Fact]
    public async Task The_users_that_yjs_has_written_are_read()
    {
        var answer = await yjs.AskAsync(new JsonObject
        {
            ["op"] = "writeUsers",
            ["edits"] = new JsonArray(
                new JsonObject { ["client"] = 11, ["user"] = "Ada", ["insert"] = "abc" },
                new JsonObject { ["client"] = 3_000_000_000, ["user"] = "Bob", ["delete"] = 2 },
                new JsonObject { ["client"] = 13, ["user"] = "Ada", ["delete"] = 1 }),
        });
        using var doc = new Doc();
        using var users = new UserAttribution(doc);
        doc.ApplyV1(YjsOracle.Bytes(answer["state"]));
        Assert.Equal(["Ada", "Bob", "Ada", null], new ulong[] { 11, 3_000_000_000, 13, 14 }.Select(users.UserOfClient));
        var deletes = Enumerable.Range(0, 20).Select(clock => users.UserOfDeleted(11, (uint)clock)).OfType<string>();
        Assert.Equal(["Bob", "Bob", "Ada"], deletes);
    }
}
