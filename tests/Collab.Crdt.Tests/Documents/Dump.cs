namespace Collab.Crdt.Tests.Documents;

/// <summary>
/// What a user sees of a document, as the vectors and the oracle (<c>tests/oracle/dump.mjs</c>) write it: the same text for two
/// documents exactly when their content is.
/// </summary>
internal static class Dump
{
    /// <summary>The roots, in the order in which replicas make them.</summary>
    public static IReadOnlyList<string> RootNames { get; } = ["text", "rich", "arr", "map", "xml"];

    /// <summary>A root by its name.</summary>
    public static SharedType Root(Doc doc, string name) => name switch
    {
        "text" or "rich" => doc.GetText(name),
        "arr" => doc.GetArray(name),
        "map" => doc.GetMap(name),
        "xml" => doc.GetXmlFragment(name),
        _ => throw new InvalidOperationException($"No root is called {name}."),
    };

    /// <summary>A document that has its roots already.</summary>
    public static Doc NewDoc(ulong client, bool gc)
    {
        var doc = new Doc(new DocOptions { ClientId = client, Gc = gc });
        foreach (var name in RootNames)
            Root(doc, name);
        return doc;
    }

    /// <summary>The whole document as JSON text.</summary>
    public static string Of(Doc doc)
    {
        var xml = doc.GetXmlFragment("xml");
        return Any.FromObject(
            ("text", doc.GetText("text").ToString()),
            ("rich", DeltaOf(doc.GetText("rich").ToDelta())),
            ("arr", ListOf(doc.GetArray("arr"))),
            ("map", Tagged.Sorted(doc.GetMap("map"), Content)),
            ("xml", ListOf(xml.Children.Select(child => (Any)child))),
            ("xmlString", xml.ToString())).ToString();
    }

    /// <summary>A value as it may stand in a document.</summary>
    public static Any Content(Any value) => value.Kind switch
    {
        AnyKind.Type => TypeOf(value.AsType<SharedType>()),
        AnyKind.Doc => DocOf(value.AsDoc()),
        _ => Tagged.Write(value),
    };

    /// <summary>The operations of a delta.</summary>
    public static Any DeltaOf(IEnumerable<Delta> delta) => Any.FromArray([.. delta.Select(OperationOf)]);

    /// <summary>Values one after another.</summary>
    public static Any ListOf(IEnumerable<Any> values) => Any.FromArray([.. values.Select(Content)]);

    private static Any OperationOf(Delta operation)
    {
        var json = new OrderedDictionary<string, Any>();
        if (operation.Attributes is { } attributes)
            json.Add("attributes", Tagged.Sorted(attributes, Tagged.Write));
        if (operation.Kind == DeltaKind.Delete)
            json.Add("delete", operation.Length);
        else if (operation.Kind == DeltaKind.Retain)
            json.Add("retain", operation.Length);
        else
            json.Add("insert", operation.Values.Count > 0 ? ListOf(operation.Values) : Content(operation.Value));
        return Any.FromObject(json);
    }

    private static Any TypeOf(SharedType type) => type switch
    {
        XmlElement element => TypeOf("xmlelement", Any.FromObject(
            ("name", element.Name),
            ("attrs", Tagged.Sorted(element.Attributes, Content)),
            ("children", ListOf(element.Children.Select(child => (Any)child))))),
        XmlText text => TypeOf("xmltext", Any.FromObject(
            ("delta", DeltaOf(text.ToDelta())),
            ("attrs", Tagged.Sorted(text.Attributes, Content)))),
        XmlFragment fragment => TypeOf("xmlfragment", ListOf(fragment.Children.Select(child => (Any)child))),
        // An empty text has no length there.
        Text { Length: 0 } text => TypeOf("text", Any.FromObject(("delta", DeltaOf(text.ToDelta())))),
        Text text => TypeOf("text", Any.FromObject(("delta", DeltaOf(text.ToDelta())), ("len", text.Length))),
        YArray array => TypeOf("array", ListOf(array)),
        Map map => TypeOf("map", Tagged.Sorted(map, Content)),
        _ => throw new InvalidOperationException($"{type} is no shared type."),
    };

    private static Any TypeOf(string kind, Any content) => Any.FromObject(("$", "type"), ("v", kind), ("c", content));

    private static Any DocOf(Doc doc) => Any.FromObject(
        ("$", "doc"),
        ("guid", doc.Guid),
        ("opts", Any.FromObject(("autoLoad", doc.AutoLoad), ("gc", doc.Gc), ("meta", Tagged.Write(doc.Meta)))));
}
