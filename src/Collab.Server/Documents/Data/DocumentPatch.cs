using System.Text.Json;
using Collab.Crdt;
using Collab.Protocol;

namespace Collab.Server.Documents.Data;

/// <summary>Changes of a document that a request can carry, each a function that makes them in the document's types.</summary>
internal static class DocumentPatch
{
    public const string JsonPatch = "application/json-patch+json";
    public const string MergePatch = "application/merge-patch+json";
    public const string TextDelta = "application/vnd.collab.delta+json";

    private const int MaxOperations = 10_000;

    /// <summary>Reads a body of one of the types.</summary>
    /// <param name="type">The media type.</param>
    /// <param name="body">The body.</param>
    /// <param name="path">Where the text of a delta is, as a JSON Pointer.</param>
    /// <exception cref="CollabException"><c>unsupported_type</c>, <c>invalid_patch</c>.</exception>
    public static Action<Doc> Read(string? type, JsonElement body, string? path) => type switch
    {
        JsonPatch => ReadOperations(body),
        MergePatch when body.ValueKind == JsonValueKind.Object => doc => Merge(doc, body),
        MergePatch => throw Invalid("a merge patch of a document is an object: its members are the roots"),
        TextDelta => ReadDelta(body, path),
        _ => throw new CollabException(ErrorCodes.UnsupportedType, $"a patch is {JsonPatch}, {MergePatch} or {TextDelta}"),
    };

    /// <summary>Makes all roots say what an object says; others are emptied.</summary>
    public static Action<Doc> Replace(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object)
            throw Invalid("a document is an object: its members are the roots");
        return doc =>
        {
            foreach (var name in doc.RootNames.Where(name => !body.TryGetProperty(name, out _)).ToArray())
                SharedJson.SetRoot(doc, name, JsonElement.Parse("null"u8));
            foreach (var root in body.EnumerateObject())
                SharedJson.SetRoot(doc, root.Name, root.Value);
        };
    }

    // RFC 6902.
    private static Action<Doc> ReadOperations(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Array || body.GetArrayLength() > MaxOperations)
            throw Invalid($"a JSON patch is a list of at most {MaxOperations} operations");
        Action<Doc>[] operations = [.. body.EnumerateArray().Select(ReadOperation)];
        return doc =>
        {
            foreach (var operation in operations)
                operation(doc);
        };
    }

    private static Action<Doc> ReadOperation(JsonElement operation)
    {
        var path = TextOf(operation, "path") ?? throw Invalid("an operation has a path");
        return TextOf(operation, "op") switch
        {
            "add" => With(operation, value => doc => new DocumentPlace(doc, path).Add(value)),
            "replace" => With(operation, value => doc => new DocumentPlace(doc, path).Replace(value)),
            "test" => With(operation, value => doc => Test(doc, path, value)),
            "remove" => doc => new DocumentPlace(doc, path).Remove(),
            "copy" => From(operation, from => doc => new DocumentPlace(doc, path).Add(SharedJson.ToElement(new DocumentPlace(doc, from).Get()))),
            "move" => From(operation, from => doc => Move(doc, from, path)),
            _ => throw Invalid("an operation is add, remove, replace, move, copy or test"),
        };
    }

    private static void Test(Doc doc, string path, JsonElement value)
    {
        if (!SharedJson.Equals(new DocumentPlace(doc, path).Get(), value))
            throw new CollabException(ErrorCodes.Conflict, "a test of the patch has failed");
    }

    private static void Move(Doc doc, string from, string to)
    {
        if (to == from)
            return;
        if (to.StartsWith(from + "/", StringComparison.Ordinal))
            throw Invalid("nothing can be moved into itself");
        var value = SharedJson.ToElement(new DocumentPlace(doc, from).Get());
        new DocumentPlace(doc, from).Remove();
        new DocumentPlace(doc, to).Add(value);
    }

    private static Action<Doc> With(JsonElement operation, Func<JsonElement, Action<Doc>> make) =>
        operation.TryGetProperty("value", out var value) ? make(value) : throw Invalid("an add, a replace and a test have a value");

    private static Action<Doc> From(JsonElement operation, Func<string, Action<Doc>> make) =>
        make(TextOf(operation, "from") ?? throw Invalid("a move and a copy have a from"));

    // RFC 7396, with the roots as the members of the document.
    private static void Merge(Doc doc, JsonElement patch)
    {
        foreach (var root in patch.EnumerateObject())
        {
            var isMap = doc.RootNames.Contains(root.Name) && doc.LooksLike(root.Name) == RootKind.Map;
            if (root.Value.ValueKind == JsonValueKind.Object && (isMap || !doc.RootNames.Contains(root.Name) || doc.LooksLike(root.Name) == RootKind.Empty))
                Merge(doc.GetMap(root.Name), root.Value);
            else
                SharedJson.SetRoot(doc, root.Name, root.Value);
        }
    }

    private static void Merge(Map map, JsonElement patch)
    {
        foreach (var member in patch.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.Null)
                map.Remove(member.Name);
            else if (member.Value.ValueKind != JsonValueKind.Object)
                SharedJson.SetEntry(map, member.Name, member.Value);
            else
                Merge(MapIn(map, member.Name), member.Value);
        }
    }

    private static Map MapIn(Map map, string key)
    {
        if (map.TryGetValue(key, out var known) && known.Kind == AnyKind.Type && known.AsType<SharedType>() is Map nested)
            return nested;
        // A plain object goes on as a map with the same members.
        var made = known.Kind == AnyKind.Object ? (Map)SharedJson.Make(SharedJson.ToElement(known)).AsType<SharedType>() : new Map();
        map.Set(key, made);
        return made;
    }

    // Quill's delta: a list of insert, retain and delete.
    private static Action<Doc> ReadDelta(JsonElement body, string? path)
    {
        if (path is null)
            throw Invalid("say where the text is, as ?path=/text");
        if (body.ValueKind != JsonValueKind.Array || body.GetArrayLength() > MaxOperations)
            throw Invalid($"a delta is a list of at most {MaxOperations} operations");
        Delta[] delta = [.. body.EnumerateArray().Select(ReadDeltaOperation)];
        return doc =>
        {
            var text = new DocumentPlace(doc, path).Text();
            if (delta.Where(part => part.Kind != DeltaKind.Insert).Sum(part => (long)part.Length) > text.Length)
                throw new CollabException(ErrorCodes.Conflict, "the delta is of a longer text");
            text.ApplyDelta(delta);
        };
    }

    private static Delta ReadDeltaOperation(JsonElement operation)
    {
        if (operation.ValueKind != JsonValueKind.Object)
            throw Invalid("an operation of a delta is an object");
        var attributes = operation.TryGetProperty("attributes", out var given)
            ? given.ValueKind == JsonValueKind.Object ? given.EnumerateObject().ToDictionary(one => one.Name, one => Plain(one.Value)) : throw Invalid("attributes are an object")
            : null;
        if (operation.TryGetProperty("insert", out var inserted))
        {
            return inserted.ValueKind is JsonValueKind.String or JsonValueKind.Object
                ? Delta.Insert(Plain(inserted), attributes)
                : throw Invalid("an insert is a text or an object");
        }
        if (operation.TryGetProperty("retain", out var retained))
            return Delta.Retain(Length(retained), attributes);
        return operation.TryGetProperty("delete", out var deleted) ? Delta.Delete(Length(deleted)) : throw Invalid("an operation of a delta is insert, retain or delete");
    }

    private static int Length(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var length) && length > 0 ? length : throw Invalid("a length is a whole number above 0");

    private static Any Plain(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => Any.FromObject(new OrderedDictionary<string, Any>(value.EnumerateObject().Select(one => KeyValuePair.Create(one.Name, Plain(one.Value))))),
        JsonValueKind.Array => Any.FromArray([.. value.EnumerateArray().Select(Plain)]),
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetDouble(),
        JsonValueKind.True or JsonValueKind.False => value.GetBoolean(),
        _ => Any.Null,
    };

    private static string? TextOf(JsonElement operation, string name) =>
        operation.ValueKind == JsonValueKind.Object && operation.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static CollabException Invalid(string why) => new(ErrorCodes.InvalidPatch, why);
}
