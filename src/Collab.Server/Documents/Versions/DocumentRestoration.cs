using Collab.Crdt;

namespace Collab.Server.Documents.Versions;

/// <summary>Makes a document say what another one says, by edits that change as little as is plain to see.</summary>
internal static class DocumentRestoration
{
    public static void Restore(Doc live, Doc wanted)
    {
        foreach (var name in wanted.RootNames.Union(live.RootNames, StringComparer.Ordinal).ToArray())
        {
            var kind = wanted.RootNames.Contains(name) && wanted.LooksLike(name) is not RootKind.Empty and var then ? then
                : live.RootNames.Contains(name) ? live.LooksLike(name)
                : RootKind.Empty;
            switch (kind)
            {
                case RootKind.Text:
                    Restore(live.GetText(name), wanted.GetText(name));
                    break;
                case RootKind.Map:
                    Restore(live.GetMap(name), wanted.GetMap(name));
                    break;
                case RootKind.Array:
                    Restore(live.GetArray(name), wanted.GetArray(name));
                    break;
                case RootKind.Xml:
                    Restore(live.GetXmlFragment(name), wanted.GetXmlFragment(name));
                    break;
            }
        }
    }

    private static void Restore(Map live, Map wanted)
    {
        foreach (var key in live.Keys.Where(key => !wanted.ContainsKey(key)).ToArray())
            live.Remove(key);
        foreach (var (key, value) in wanted)
        {
            if (!live.TryGetValue(key, out var known) || !TryRestore(known, value))
                live.Set(key, Copy(value));
        }
    }

    private static void Restore(YArray live, YArray wanted)
    {
        var (known, values) = (live.ToArray(), wanted.ToArray());
        var (prefix, suffix) = Common(known, values);
        var (left, right) = (known.Length - prefix - suffix, values.Length - prefix - suffix);
        for (var i = 0; i < Math.Min(left, right); i++)
        {
            if (TryRestore(known[prefix + i], values[prefix + i]))
                continue;
            live.Delete(prefix + i);
            live.Insert(prefix + i, Copy(values[prefix + i]));
        }
        if (left > right)
            live.Delete(prefix + right, left - right);
        for (var i = left; i < right; i++)
            live.Insert(prefix + i, Copy(values[prefix + i]));
    }

    // What is alike at both ends stays; what is between is written anew, with its formatting.
    private static void Restore(Text live, Text wanted)
    {
        var (known, pieces) = (Units(live), Units(wanted));
        var prefix = 0;
        while (prefix < known.Count && prefix < pieces.Count && known[prefix].Equals(pieces[prefix]))
            prefix++;
        var suffix = 0;
        while (suffix < known.Count - prefix && suffix < pieces.Count - prefix && known[^(suffix + 1)].Equals(pieces[^(suffix + 1)]))
            suffix++;
        // No code point is cut in two.
        while (prefix > 0 && prefix < pieces.Count && pieces[prefix - 1].IsHighSurrogate)
            prefix--;
        while (suffix > 0 && pieces[^suffix].IsLowSurrogate)
            suffix--;
        if (known.Count - prefix - suffix == 0 && pieces.Count - prefix - suffix == 0)
            return;
        var delta = new List<Delta>();
        if (prefix > 0)
            delta.Add(Delta.Retain(prefix));
        delta.AddRange(Joined(pieces[prefix..^suffix]));
        if (known.Count - prefix - suffix > 0)
            delta.Add(Delta.Delete(known.Count - prefix - suffix));
        live.ApplyDelta(delta);
    }

    private static void Restore(XmlFragment live, XmlFragment wanted)
    {
        SharedType[] known = [.. live.Children], nodes = [.. wanted.Children];
        var prefix = 0;
        while (prefix < known.Length && prefix < nodes.Length && IsAlike(known[prefix], nodes[prefix]))
            prefix++;
        var suffix = 0;
        while (suffix < known.Length - prefix && suffix < nodes.Length - prefix && IsAlike(known[^(suffix + 1)], nodes[^(suffix + 1)]))
            suffix++;
        var (left, right) = (known.Length - prefix - suffix, nodes.Length - prefix - suffix);
        for (var i = 0; i < Math.Min(left, right); i++)
        {
            if (TryRestore(known[prefix + i], nodes[prefix + i]))
                continue;
            live.Delete(prefix + i);
            Insert(live, prefix + i, nodes[prefix + i]);
        }
        if (left > right)
            live.Delete(prefix + right, left - right);
        for (var i = left; i < right; i++)
            Insert(live, prefix + i, nodes[prefix + i]);
    }

    private static bool TryRestore(Any live, Any wanted)
    {
        if (live.Kind != AnyKind.Type || wanted.Kind != AnyKind.Type)
            return live == wanted;
        return TryRestore(live.AsType<SharedType>(), wanted.AsType<SharedType>());
    }

    private static bool TryRestore(SharedType live, SharedType wanted)
    {
        switch (live, wanted)
        {
            case (XmlElement one, XmlElement other) when one.Name == other.Name:
                foreach (var name in one.Attributes.Keys.Where(name => !other.Attributes.ContainsKey(name)).ToArray())
                    one.RemoveAttribute(name);
                foreach (var (name, value) in other.Attributes)
                {
                    if (one.GetAttribute(name) != value)
                        one.SetAttribute(name, value);
                }
                Restore(one, other);
                return true;
            case (XmlText one, XmlText other):
                Restore((Text)one, other);
                return true;
            case (Text one and not XmlText, Text other and not XmlText):
                Restore(one, other);
                return true;
            case (Map one, Map other):
                Restore(one, other);
                return true;
            case (YArray one, YArray other):
                Restore(one, other);
                return true;
            default:
                return false;
        }
    }

    private static bool IsAlike(SharedType one, SharedType other) => (one, other) switch
    {
        (XmlText a, XmlText b) => Units(a).SequenceEqual(Units(b)),
        (XmlElement a, XmlElement b) => a.ToString() == b.ToString() && a.Name == b.Name,
        _ => false,
    };

    private static (int Prefix, int Suffix) Common(Any[] one, Any[] other)
    {
        var prefix = 0;
        while (prefix < one.Length && prefix < other.Length && IsEqual(one[prefix], other[prefix]))
            prefix++;
        var suffix = 0;
        while (suffix < one.Length - prefix && suffix < other.Length - prefix && IsEqual(one[^(suffix + 1)], other[^(suffix + 1)]))
            suffix++;
        return (prefix, suffix);

        static bool IsEqual(Any one, Any other) => one.Kind == AnyKind.Type && other.Kind == AnyKind.Type
            ? one.AsType<SharedType>() is not Text && one.AsType<SharedType>().ToJson() == other.AsType<SharedType>().ToJson()
            : one == other;
    }

    // A type belongs to one document: in another it is made anew, first itself, then what is in it.
    private static Any Copy(Any value) => value.Kind switch
    {
        AnyKind.Type => value.AsType<SharedType>() switch
        {
            Map map => new Map(map.Select(entry => KeyValuePair.Create(entry.Key, Copy(entry.Value)))),
            YArray array => new YArray([.. array.Select(Copy)]),
            XmlText text => Fill(new XmlText(), text),
            Text text => Fill(new Text(), text),
            XmlElement element => CopyOf(element),
            _ => Any.Null,
        },
        // A subdocument goes on under its name.
        AnyKind.Doc => new Doc(new DocOptions { Guid = value.AsDoc().Guid }),
        _ => value,
    };

    private static Text Fill(Text copy, Text text)
    {
        copy.ApplyDelta(text.ToDelta());
        return copy;
    }

    private static void Insert(XmlFragment parent, int index, SharedType node) => parent.Insert(index, Copy((Any)node).AsType<SharedType>());

    private static XmlElement CopyOf(XmlElement element)
    {
        var copy = new XmlElement(element.Name);
        foreach (var (name, value) in element.Attributes)
            copy.SetAttribute(name, value);
        foreach (var child in element.Children)
            copy.Push(Copy((Any)child).AsType<SharedType>());
        return copy;
    }

    private static List<Unit> Units(Text text)
    {
        var units = new List<Unit>(text.Length);
        foreach (var part in text.ToDelta())
        {
            var attributes = part.Attributes is { Count: > 0 } some ? Any.FromObject(some) : Any.Undefined;
            if (part.Value.TryGetString(out var letters))
                units.AddRange(letters.Select(letter => new Unit(letter, default, attributes)));
            else
                units.Add(new Unit('\0', part.Value, attributes));
        }
        return units;
    }

    private static IEnumerable<Delta> Joined(List<Unit> units)
    {
        for (int first = 0, next; first < units.Count; first = next)
        {
            for (next = first + 1; next < units.Count && units[first].Goes(units[next]); next++)
            {
            }
            var attributes = units[first].Attributes.IsUndefined ? null : units[first].Attributes.AsObject();
            yield return units[first].Embed.IsUndefined
                ? Delta.Insert(string.Concat(units[first..next].Select(unit => unit.Letter)), attributes)
                : Delta.Insert(Copy(units[first].Embed), attributes);
        }
    }

    /// <summary>A code unit of a text, or an object in it, with its formatting.</summary>
    private readonly record struct Unit(char Letter, Any Embed, Any Attributes)
    {
        public bool IsHighSurrogate => char.IsHighSurrogate(Letter);

        public bool IsLowSurrogate => char.IsLowSurrogate(Letter);

        public bool Goes(Unit next) => Embed.IsUndefined && next.Embed.IsUndefined && Attributes == next.Attributes;
    }
}
