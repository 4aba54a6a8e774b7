// Uses each part of the engine once, compiled ahead of time: edits, formats, nested types, both formats, sync, undo, positions,
// users and JSON. Prints OK, or what differs.
using System.Text;
using Collab.Crdt;

var here = new Doc(new DocOptions { ClientId = 1 });
var there = new Doc(new DocOptions { ClientId = 2 });
using var subscription = here.ObserveUpdatesV1(update => there.ApplyV1(update.Update, "here"));
using var subscriptionV2 = there.ObserveUpdatesV2(update =>
{
    if (update.Origin is not "here")
        here.ApplyV2(update.Update);
});

var text = here.GetText("text");
var changes = 0;
using var observation = text.Observe(change => changes += change.Delta.Count);
using var undo = new UndoManager(text);
text.Insert(0, "Hello wörld 😀");
undo.StopCapturing();
text.Format(0, 5, new Dictionary<string, Any> { ["bold"] = true });
undo.Undo();
undo.Redo();
there.GetText("text").Insert(5, ",");
there.GetText("text").Delete(6, 1);

here.Transact(_ =>
{
    here.GetMap("map").Set("list", new YArray(1, 2.5, "three", Any.Null, Any.FromObject(("deep", true))));
    here.GetXmlFragment("xml").Insert(0, new XmlElement("p"));
});

var position = StickyIndex.Create(text, 3);
text.Insert(0, "> ");

var copy = new Doc();
copy.ApplyV2(Updates.ConvertV1ToV2(here.StateDiffV1(there.StateVectorV1())));
copy.ApplyV1(Updates.MergeV1([here.StateDiffV1(), there.StateDiffV1()]));

Check("text", text.ToString(), "> Hello,wörld 😀");
Check("other text", there.GetText("text").ToString(), text.ToString());
Check("runs", text.ToDelta().Count, 3);
Check("observed", changes > 0, true);
Check("position", StickyIndex.Decode(position.Encode()).Resolve(here)?.Index, 5);
Check("copy", copy.GetText("text").ToString(), text.ToString());
Check("JSON", copy.GetMap("map").ToJson().ToString(), """{"list":[1,2.5,"three",null,{"deep":true}]}""");
Check("XML", there.GetXmlFragment("xml").ToString(), "<p></p>");
try
{
    copy.ApplyV1(Encoding.UTF8.GetBytes("no update"));
    Check("refused", false, true);
}
catch (InvalidUpdateException)
{
}
Console.WriteLine("OK");
return 0;

static void Check<T>(string what, T actual, T expected)
{
    if (EqualityComparer<T>.Default.Equals(actual, expected))
        return;
    Console.WriteLine($"{what}: {actual}, not {expected}");
    Environment.Exit(1);
}
