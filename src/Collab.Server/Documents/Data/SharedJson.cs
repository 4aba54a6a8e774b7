using System.Text.Json;
using Collab.Crdt;
using Collab.Protocol;

namespace Collab.Server.Documents.Data;

/// <summary>
/// JSON as shared types: objects become maps and lists arrays, so that what is written on the server can be edited by many at once;
/// strings, numbers, booleans and null are values. Equal parts are left as they are, so that nothing is written that says nothing.
/// </summary>
internal static class SharedJson
{
    // As deep as updates may nest types, less what a root adds.
    private const int MaxDepth = 32;

    /// <summary>Makes a new value.</summary>
    /// <exception cref="CollabException"><c>invalid_patch</c>: it is nested too deeply.</exception>
    public static Any Make(JsonElement json) => Make(json, 0);

    /// <summary>Makes a root say what JSON says, with as few changes as are plain to see.</summary>
    /// <exception cref="CollabException"><c>conflict</c>: the root is of another type. <c>invalid_patch</c>: no root can be that.</exception>
    public static void SetRoot(Doc doc, string name, JsonElement json)
    {
        var kind = doc.RootNames.Contains(name) ? doc.LooksLike(name) : RootKind.Empty;
        switch (json.ValueKind)
        {
            case JsonValueKind.Object when kind is RootKind.Map or RootKind.Empty:
                SetMap(doc.GetMap(name), json);
                break;
            case JsonValueKind.Array when kind is RootKind.Array or RootKind.Empty:
                SetArray(doc.GetArray(name), json);
                break;
            case JsonValueKind.String when kind is RootKind.Text or RootKind.Empty:
                SetText(doc.GetText(name), json.GetString()!);
                break;
            case JsonValueKind.Null:
                Clear(doc, name, kind);
                break;
            case JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.String:
                if (!Equals(doc.RootToJson(name), json))
                    throw new CollabException(ErrorCodes.Conflict, $"a root is of another type ({kind.ToString().ToLowerInvariant()}) than what is to be written");
                break;
            default:
                throw new CollabException(ErrorCodes.InvalidPatch, "a root is an object, a list or a text; null empties it");
        }
    }

    /// <summary>Makes a map say what an object says.</summary>
    public static void SetMap(Map map, JsonElement json)
    {
        foreach (var key in map.Keys.Where(key => !json.TryGetProperty(key, out _)).ToArray())
            map.Remove(key);
        foreach (var property in json.EnumerateObject())
            SetEntry(map, property.Name, property.Value);
    }

    /// <summary>Makes an entry of a map say what JSON says.</summary>
    public static void SetEntry(Map map, string key, JsonElement json)
    {
        if (!map.TryGetValue(key, out var known) || !TrySet(known, json))
            map.Set(key, Make(json));
    }

    /// <summary>Makes an item of an array say what JSON says.</summary>
    public static void SetItem(YArray array, int index, JsonElement json)
    {
        if (TrySet(array[index], json))
            return;
        array.Delete(index);
        array.Insert(index, Make(json));
    }

    /// <summary>Whether a value says what JSON says.</summary>
    public static bool Equals(Any value, JsonElement json)
    {
        if (value.Kind == AnyKind.Type)
            value = value.AsType<SharedType>().ToJson();
        return (value.Kind, json.ValueKind) switch
        {
            (AnyKind.String, JsonValueKind.String) => json.ValueEquals(value.AsString()),
            (AnyKind.Number, JsonValueKind.Number) => json.GetDouble().Equals(value.AsNumber()),
            (AnyKind.Boolean, JsonValueKind.True or JsonValueKind.False) => json.GetBoolean() == value.AsBoolean(),
            (AnyKind.Null or AnyKind.Undefined, JsonValueKind.Null) => true,
            (AnyKind.String or AnyKind.Number or AnyKind.Boolean or AnyKind.Null or AnyKind.Undefined, _) => false,
            _ => JsonElement.DeepEquals(ToElement(value), json),
        };
    }

    /// <summary>A value as JSON.</summary>
    public static JsonElement ToElement(Any value) => value.IsUndefined
        ? JsonElement.Parse("null"u8)
        : JsonElement.Parse((value.Kind == AnyKind.Type ? value.AsType<SharedType>().ToJson() : value).ToString());

    // Changes what is there in its place, if it is of the right type.
    private static bool TrySet(Any known, JsonElement json)
    {
        if (known.Kind == AnyKind.Type)
        {
            switch (known.AsType<SharedType>(), json.ValueKind)
            {
                case (Map map, JsonValueKind.Object):
                    SetMap(map, json);
                    return true;
                case (YArray array, JsonValueKind.Array):
                    SetArray(array, json);
                    return true;
                case (Text text and not XmlText, JsonValueKind.String):
                    SetText(text, json.GetString()!);
                    return true;
            }
        }
        return Equals(known, json);
    }

    private static void SetArray(YArray array, JsonElement json)
    {
        var wanted = json.EnumerateArray().ToArray();
        var known = array.ToArray();
        var prefix = 0;
        while (prefix < known.Length && prefix < wanted.Length && Equals(known[prefix], wanted[prefix]))
            prefix++;
        var suffix = 0;
        while (suffix < known.Length - prefix && suffix < wanted.Length - prefix && Equals(known[^(suffix + 1)], wanted[^(suffix + 1)]))
            suffix++;

        var (left, right) = (known.Length - prefix - suffix, wanted.Length - prefix - suffix);
        for (var i = 0; i < Math.Min(left, right); i++)
            SetItem(array, prefix + i, wanted[prefix + i]);
        if (left > right)
            array.Delete(prefix + right, left - right);
        for (var i = left; i < right; i++)
            array.Insert(prefix + i, Make(wanted[prefix + i]));
    }

    private static void SetText(Text text, string wanted)
    {
        var known = text.ToString()!;
        if (known.Length != text.Length)
            throw new CollabException(ErrorCodes.Conflict, "a text holds objects, which a plain string would take away: use a delta");
        var edit = TextEdit.Between(known, wanted, wanted.Length);
        if (edit.Deleted > 0)
            text.Delete(edit.Start, edit.Deleted);
        if (edit.Inserted.Length > 0)
            text.Insert(edit.Start, edit.Inserted);
    }

    private static void Clear(Doc doc, string name, RootKind kind)
    {
        switch (kind)
        {
            case RootKind.Map:
                doc.GetMap(name).Clear();
                break;
            case RootKind.Array:
                doc.GetArray(name).Delete(0, doc.GetArray(name).Length);
                break;
            case RootKind.Text:
                doc.GetText(name).Delete(0, doc.GetText(name).Length);
                break;
            case RootKind.Xml:
                doc.GetXmlFragment(name).Delete(0, doc.GetXmlFragment(name).Length);
                break;
        }
    }

    private static Any Make(JsonElement json, int depth)
    {
        if (depth > MaxDepth)
            throw new CollabException(ErrorCodes.InvalidPatch, $"a value is more than {MaxDepth} levels deep");
        return json.ValueKind switch
        {
            JsonValueKind.Object => new Map(json.EnumerateObject().Select(property => KeyValuePair.Create(property.Name, Make(property.Value, depth + 1)))),
            JsonValueKind.Array => new YArray([.. json.EnumerateArray().Select(item => Make(item, depth + 1))]),
            JsonValueKind.String => json.GetString(),
            JsonValueKind.Number => json.GetDouble(),
            JsonValueKind.True or JsonValueKind.False => json.GetBoolean(),
            _ => Any.Null,
        };
    }
}
