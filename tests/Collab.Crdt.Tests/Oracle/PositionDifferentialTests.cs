using System.Text.Json.Nodes;

namespace Collab.Crdt.Tests.Oracle;

/// <summary>Every position in the lists of random documents against yjs: its bytes, its JSON, and where later edits leave it.</summary>
public sealed class PositionDifferentialTests(YjsOracle yjs) : IClassFixture<YjsOracle>
{
    private const int Sessions = 60;

    [Fact]
    public async Task Positions_have_the_bytes_of_yjs_and_are_where_they_are_in_yjs()
    {
        for (var seed = 0; seed < Sessions; seed++)
        {
            var session = await yjs.SessionAsync(seed);
            var half = session.Updates.Count / 2;
            var answer = await yjs.AskAsync(new JsonObject
            {
                ["op"] = "positions",
                ["updates"] = YjsOracle.Encode(session.Updates.Take(half)),
                ["later"] = YjsOracle.Encode(session.Updates.Skip(half)),
            });
            var expected = answer["positions"]!.AsArray().Select(position => position!.AsArray()).ToArray();

            using var doc = NewDoc();
            foreach (var update in session.Updates.Take(half))
                doc.ApplyV1(update.Span);
            var ours = expected.Select(position => StickyIndex.Create(
                TypeAt(doc, (string)position[0]!, (int?)position[1]), (int)position[2]!, (Association)(int)position[3]!)).ToArray();
            Assert.Equal(expected.Select(position => (string)position[4]!), ours.Select(position => Convert.ToBase64String(position.Encode())));
            Assert.Equal(expected.Select(position => (string)position[5]!), ours.Select(position => position.ToJson().ToString()));

            foreach (var update in session.Updates.Skip(half))
                doc.ApplyV1(update.Span);
            Assert.Equal(expected.Select(position => (int?)position[6]), ours.Select(position => StickyIndex.Decode(position.Encode()).Resolve(doc)?.Index));
        }
    }

    [Fact]
    public async Task Yjs_resolves_positions_that_were_made_here()
    {
        using var doc = NewDoc();
        doc.GetText("text").Insert(0, "one two");
        var positions = Enumerable.Range(0, 8).Select(index => StickyIndex.Create(doc.GetText("text"), index, (Association)(-index % 2))).ToArray();
        doc.GetText("text").Insert(3, "!!!");
        var answer = await yjs.AskAsync(new JsonObject
        {
            ["op"] = "resolve",
            ["state"] = Convert.ToBase64String(doc.StateDiffV1()),
            ["positions"] = new JsonArray([.. positions.Select(position => (JsonNode)Convert.ToBase64String(position.Encode()))]),
        });
        Assert.Equal(answer["indexes"]!.AsArray().Select(index => (int?)index), positions.Select(position => position.Resolve(doc)?.Index));
    }

    private static Doc NewDoc()
    {
        var doc = new Doc();
        doc.GetText("text");
        doc.GetText("rich");
        doc.GetArray("arr");
        doc.GetMap("map");
        doc.GetXmlFragment("xml");
        return doc;
    }

    private static SharedType TypeAt(Doc doc, string root, int? child) => root switch
    {
        "arr" => child is { } index ? doc.GetArray(root)[index].AsType<SharedType>() : doc.GetArray(root),
        "xml" => child is { } index ? doc.GetXmlFragment(root)[index]! : doc.GetXmlFragment(root),
        _ => doc.GetText(root),
    };
}
