using System.Text.Json;

namespace Collab.Crdt.Tests.Documents;

/// <summary>Runs the operations of the vectors and of the oracle's sessions (<c>tests/oracle/replicas.mjs</c>) on a document.</summary>
internal static class Operations
{
    /// <summary>Runs one operation, in the transaction that is open.</summary>
    public static void Run(Doc doc, JsonElement operation)
    {
        var target = Find(doc, operation.GetProperty("t"));
        switch (operation.Text("o"))
        {
            case "insert":
                ((Text)target).Insert(operation.Number("i"), operation.Text("s"), Attributes(operation, "a"));
                break;
            case "delete":
                Delete(target, operation.Number("i"), operation.Number("n"));
                break;
            case "format":
                ((Text)target).Format(operation.Number("i"), operation.Number("n"), Attributes(operation, "a")!);
                break;
            case "embed":
                ((Text)target).InsertEmbed(operation.Number("i"), Tagged.Read(operation.GetProperty("e")), Attributes(operation, "a"));
                break;
            case "etype":
                ((Text)target).InsertEmbed(operation.Number("i"), NewType(operation), Attributes(operation, "a"));
                break;
            case "delta":
                ((Text)target).ApplyDelta(operation.Items("d").Select(ReadDelta));
                break;
            case "ainsert":
                ((YArray)target).Insert(operation.Number("i"), [.. operation.Items("v").Select(Tagged.Read)]);
                break;
            case "atype" when target is XmlFragment fragment:
                fragment.Insert(operation.Number("i"), NewType(operation));
                break;
            case "atype":
                ((YArray)target).Insert(operation.Number("i"), NewType(operation));
                break;
            case "adoc":
                ((YArray)target).Insert(operation.Number("i"), NewDoc(operation));
                break;
            case "set":
                ((Map)target).Set(operation.Text("k"), Tagged.Read(operation.GetProperty("v")));
                break;
            case "unset":
                ((Map)target).Remove(operation.Text("k"));
                break;
            case "clear":
                ((Map)target).Clear();
                break;
            case "mtype":
                ((Map)target).Set(operation.Text("k"), NewType(operation));
                break;
            case "mdoc":
                ((Map)target).Set(operation.Text("k"), NewDoc(operation));
                break;
            case "attr" when target is XmlText text:
                text.SetAttribute(operation.Text("k"), Tagged.Read(operation.GetProperty("v")));
                break;
            case "attr":
                ((XmlElement)target).SetAttribute(operation.Text("k"), Tagged.Read(operation.GetProperty("v")));
                break;
            case "unattr" when target is XmlText text:
                text.RemoveAttribute(operation.Text("k"));
                break;
            case "unattr":
                ((XmlElement)target).RemoveAttribute(operation.Text("k"));
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

    private static SharedType NewType(JsonElement operation) => operation.Text("ty") switch
    {
        "text" => operation.OptionalText("s") is { } text ? new Text(text) : new Text(),
        "xmltext" => operation.OptionalText("s") is { } text ? new XmlText(text) : new XmlText(),
        "xmlelement" => new XmlElement(operation.Text("name")),
        "xmlfragment" => new XmlFragment(),
        "array" when operation.TryGetProperty("v", out var values) => new YArray([.. values.EnumerateArray().Select(Tagged.Read)]),
        "array" => new YArray(),
        "map" => operation.TryGetProperty("kv", out var entries) ? new Map(Tagged.ReadObject(entries)) : new Map(),
        var kind => throw new InvalidOperationException($"No type is called {kind}."),
    };

    private static Doc NewDoc(JsonElement operation)
    {
        var options = Tagged.ReadObject(operation.GetProperty("opts"));
        return new Doc(new DocOptions
        {
            Guid = operation.Text("guid"),
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
        return operation.TryGetProperty("delete", out var delete)
            ? Delta.Delete(delete.GetInt32())
            : Delta.Retain(operation.Number("retain"), attributes);
    }

    private static OrderedDictionary<string, Any>? Attributes(JsonElement operation, string name) =>
        operation.TryGetProperty(name, out var attributes) ? Tagged.ReadObject(attributes) : null;
}
