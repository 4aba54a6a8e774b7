using System.Globalization;
using System.Text.Json;
using Collab.Crdt;
using Collab.Protocol;

namespace Collab.Server.Documents.Data;

/// <summary>A place in a document's JSON view, by JSON Pointer (RFC 6901): the first part names a root.</summary>
internal sealed class DocumentPlace
{
    private readonly Doc _doc;
    private readonly string[] _path;

    /// <exception cref="CollabException"><c>invalid_patch</c>: it is no pointer.</exception>
    public DocumentPlace(Doc doc, string pointer)
    {
        if (pointer.Length == 0 || pointer[0] != '/')
            throw new CollabException(ErrorCodes.InvalidPatch, "a path is a JSON Pointer that names a root, such as /tasks/0");
        _doc = doc;
        _path = [.. pointer[1..].Split('/').Select(part => part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))];
    }

    private bool IsRoot => _path.Length == 1;

    /// <summary>What is there.</summary>
    /// <exception cref="CollabException"><c>conflict</c>: nothing is.</exception>
    public Any Get() => Find(_path.Length) ?? throw Missing();

    /// <summary>Adds a value: sets an entry of a map, inserts into an array.</summary>
    public void Add(JsonElement value)
    {
        if (IsRoot)
        {
            SharedJson.SetRoot(_doc, _path[0], value);
            return;
        }
        switch (Parent())
        {
            case Map map:
                SharedJson.SetEntry(map, _path[^1], value);
                break;
            case YArray array:
                array.Insert(_path[^1] == "-" ? array.Length : IndexIn(array.Length + 1), SharedJson.Make(value));
                break;
            default:
                throw Missing();
        }
    }

    /// <summary>Replaces what is there.</summary>
    public void Replace(JsonElement value)
    {
        Get();
        if (IsRoot)
        {
            SharedJson.SetRoot(_doc, _path[0], value);
            return;
        }
        switch (Parent())
        {
            case Map map:
                SharedJson.SetEntry(map, _path[^1], value);
                break;
            case YArray array:
                SharedJson.SetItem(array, IndexIn(array.Length), value);
                break;
            default:
                throw Missing();
        }
    }

    /// <summary>Takes away what is there. A root is emptied: it cannot be taken away.</summary>
    public void Remove()
    {
        Get();
        if (IsRoot)
        {
            SharedJson.SetRoot(_doc, _path[0], JsonElement.Parse("null"u8));
            return;
        }
        switch (Parent())
        {
            case Map map:
                map.Remove(_path[^1]);
                break;
            case YArray array:
                array.Delete(IndexIn(array.Length));
                break;
            default:
                throw Missing();
        }
    }

    /// <summary>The text that is there; a root that does not exist yet is a text then.</summary>
    /// <exception cref="CollabException"><c>conflict</c>: there is something else.</exception>
    public Text Text()
    {
        if (IsRoot && (!_doc.RootNames.Contains(_path[0]) || _doc.LooksLike(_path[0]) is RootKind.Empty or RootKind.Text))
            return _doc.GetText(_path[0]);
        return Find(_path.Length) is { Kind: AnyKind.Type } found && found.AsType<SharedType>() is Text text
            ? text
            : throw new CollabException(ErrorCodes.Conflict, "there is no text at the path");
    }

    // The type that the last part is an entry or item of. Values that are no shared types are written whole.
    private SharedType Parent()
    {
        if (Find(_path.Length - 1) is not { } parent)
        {
            // A root begins with what is written into it first.
            if (_path.Length != 2)
                throw Missing();
            return _path[1] is "-" or "0" ? _doc.GetArray(_path[0]) : _doc.GetMap(_path[0]);
        }
        return parent.Kind == AnyKind.Type
            ? parent.AsType<SharedType>()
            : throw new CollabException(ErrorCodes.Conflict, "the path leads into a value that is one whole: replace that");
    }

    private Any? Find(int length)
    {
        var name = _path[0];
        if (!_doc.RootNames.Contains(name))
            return null;
        Any? found = _doc.LooksLike(name) switch
        {
            RootKind.Map => _doc.GetMap(name),
            RootKind.Array => _doc.GetArray(name),
            RootKind.Text => _doc.GetText(name),
            RootKind.Xml => _doc.GetXmlFragment(name),
            // Of what is empty one cannot tell what it was.
            _ => length > 1 ? (Any?)null : _doc.RootToJson(name),
        };
        for (var i = 1; i < length && found is { } value; i++)
            found = Step(value, _path[i]);
        return found;
    }

    private static Any? Step(Any value, string part) => value.Kind switch
    {
        AnyKind.Type when value.AsType<SharedType>() is Map map => map.TryGetValue(part, out var entry) ? entry : (Any?)null,
        AnyKind.Type when value.AsType<SharedType>() is YArray array => TryIndex(part, array.Length, out var index) ? array[index] : (Any?)null,
        AnyKind.Object => value.AsObject().TryGetValue(part, out var member) ? member : (Any?)null,
        AnyKind.Array => TryIndex(part, value.AsArray().Count, out var item) ? value.AsArray()[item] : (Any?)null,
        _ => (Any?)null,
    };

    private int IndexIn(int length) => TryIndex(_path[^1], length, out var index) ? index : throw Missing();

    private static bool TryIndex(string part, int length, out int index) =>
        int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out index) && index < length && (part == "0" || part[0] != '0');

    private static CollabException Missing() => new(ErrorCodes.Conflict, "a path leads nowhere in the document as it is");
}
