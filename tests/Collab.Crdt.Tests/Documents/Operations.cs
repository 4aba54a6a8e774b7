using System.Text.Json;

namespace Collab.Crdt.Tests.Documents;

/// <summary>Runs the operations of the vectors and of the oracle's sessions (<c>tests/oracle/replicas.mjs</c>) on a document.</summary>
internal static class Operations
{
    /// <summary>Runs one operation, in the transaction that is open.</summary>
    public static void Run(Doc doc, JsonElement operation)
    {
        var target = Find(doc, operation.GetProperty("t"));
        switch (operation.GetProperty("o").GetString())
        {
            case "insert":
                ((Text)target).Insert(Int(operation, "i"), Word(operation, "s"), Attributes(operation, "a"));
                break;
            case "delete":
                Delete(target, Int(operation, "i"), Int(operation, "n"));
                break;
            case "format":
                ((Text)target).Format(Int(operation, "i"), Int(operation, "n"), Attributes(operation, "a")!);
                break;
            case "embed":
                ((Text)target).InsertEmbed(Int(operation, "i"), Tagged.Read(operation.GetProperty("e")), Attributes(operation, "a"));
                break;
            case "etype":
                ((Text)target).InsertEmbed(Int(operation, "i"), NewType(operation), Attributes(operation, "a"));
                break;
            case "delta":
                ((Text)target).ApplyDelta(operation.GetProperty("d").EnumerateArray().Select(ReadDelta));
                break;
            case "ainsert":
                ((YArray)target).Insert(Int(operation, "i"), [.. operation.GetProperty("v").EnumerateArray().Select(Tagged.Read)]);
                break;
            case "atype" when target is XmlFragment fragment:
                fragment.Insert(Int(operation, "i"), NewType(operation));
                break;
            case "atype":
                ((YArray)target).Insert(Int(operation, "i"), NewType(operation));
                break;
            case "adoc":
                ((YArray)target).Insert(Int(operation, "i"), NewDoc(operation));
                break;
            case "set":
                ((Map)target).Set(Word(operation, "k"), Tagged.Read(operation.GetProperty("v")));
                break;
            case "unset":
                ((Map)target).Remove(Word(operation, "k"));
                break;
            case "clear":
                ((Map)target).Clear();
                break;
            case "mtype":
                ((Map)target).Set(Word(operation, "k"), NewType(operation));
                break;
            case "mdoc":
                ((Map)target).Set(Word(operation, "k"), NewDoc(operation));
                break;
            case "attr" when target is XmlText text:
                text.SetAttribute(Word(operation, "k"), Tagged.Read(operation.GetProperty("v")));
                break;
            case "attr":
                ((XmlElement)target).SetAttribute(Word(operation, "k"), Tagged.Read(operation.GetProperty("v")));
                break;
            case "unattr" when target is XmlText text:
                text.RemoveAttribute(Word(operation, "k"));
                break;
            case "unattr":
                ((XmlElement)target).RemoveAttribute(Word(operation, "k"));
                break;
            default:
                throw new InvalidOperationException($"No operation is called {operation.GetProperty("o")}.");
        }
    }

    /// <summary>The shared type at the end of a path: the name of a root, then keys and indexes.</summary>
    public static SharedType Find(Doc doc, JsonElement path)
    {
        var steps = path.EnumerateArray();
        steps.MoveNext();
        var at = Dump.Root(doc, steps.Current.GetString()!);
        while (steps.MoveNext())
        {
            at = at switch
            {
                Map map => map[steps.Current.GetString()!].AsType<SharedType>(),
                YArray array => array[steps.Current.GetInt32()].AsType<SharedType>(),
                XmlFragment fragment => fragment[steps.Current.GetInt32()]!,
                _ => throw new InvalidOperationException($"There is nothing within a {at.GetType().Name}."),
            };
        }
        return at;
    }

    private static void Delete(SharedType target, int index, int length)
    {
        switch (target)
        {
            case Text text:
                text.Delete(index, length);
                break;
            case YArray array:
                array.Delete(index, length);
                break;
            default:
                ((XmlFragment)target).Delete(index, length);
                break;
        }
    }

    private static SharedType NewType(JsonElement operation) => operation.GetProperty("ty").GetString() switch
    {
        "text" => operation.OptionalText("s") is { } text ? new Text(text) : new Text(),
        "xmltext" => operation.OptionalText("s") is { } text ? new XmlText(text) : new XmlText(),
        "xmlelement" => new XmlElement(Word(operation, "name")),
        "xmlfragment" => new XmlFragment(),
        "array" => operation.TryGetProperty("v", out var values) ? new YArray([.. values.EnumerateArray().Select(Tagged.Read)]) : new YArray(),
        "map" => operation.TryGetProperty("kv", out var entries) ? new Map(Tagged.ReadObject(entries)) : new Map(),
        var kind => throw new InvalidOperationException($"No type is called {kind}."),
    };

    private static Doc NewDoc(JsonElement operation)
    {
        var options = Tagged.ReadObject(operation.GetProperty("opts"));
        return new Doc(new DocOptions
        {
            Guid = Word(operation, "guid"),
            Gc = !options.TryGetValue("gc", out var gc) || gc.AsBoolean(),
            AutoLoad = options.TryGetValue("autoLoad", out var autoLoad) && autoLoad.AsBoolean(),
            Meta = options.TryGetValue("meta", out var meta) ? meta : Any.Null,
        });
    }

    private static Delta ReadDelta(JsonElement operation)
    {
        var attributes = Attributes(operation, "attributes");
        if (operation.TryGetProperty("insert", out var insert))
            return Delta.Insert(Tagged.Read(insert), attributes);
        return operation.TryGetProperty("delete", out var delete) ? Delta.Delete(delete.GetInt32()) : Delta.Retain(Int(operation, "retain"), attributes);
    }

    private static int Int(JsonElement operation, string name) => operation.GetProperty(name).GetInt32();

    private static string Word(JsonElement operation, string name) => operation.GetProperty(name).GetString()!;

    private static OrderedDictionary<string, Any>? Attributes(JsonElement operation, string name) =>
        operation.TryGetProperty(name, out var attributes) ? Tagged.ReadObject(attributes) : null;
}
