namespace Collab.Crdt;

// Roots as they look. Updates name roots but do not say what they are: that only the application knows that made them. Whoever
// reads a stranger's document goes by what is in it, without giving its roots a type.
public sealed partial class Doc
{
    /// <summary>
    /// What a root looks like by what is visible in it: with text or formats it is a text, with XML nodes an XML fragment, with an
    /// embed a text, with other values an array, with entries alone a map. The same document always looks the same, also after
    /// what was deleted has been collected.
    /// </summary>
    /// <param name="name">The name of the root.</param>
    public RootKind LooksLike(string name)
    {
        CheckReadable();
        return Store.Roots.TryGetValue(name, out var root) ? LooksLike(root) : RootKind.Empty;
    }

    /// <summary>
    /// A root as plain values, as what it looks like (<see cref="LooksLike(string)"/>): a text or an XML fragment as a string, null when
    /// it is empty. The root gets no type by this. A subdocument is an object with its <c>guid</c>.
    /// </summary>
    /// <param name="name">The name of the root.</param>
    /// <exception cref="InsufficientExecutionStackException">Types are nested too deeply to be shown as values.</exception>
    public Any RootToJson(string name)
    {
        CheckReadable();
        if (!Store.Roots.TryGetValue(name, out var root) || LooksLike(root) is not (not RootKind.Empty and var kind))
            return Any.Null;
        var json = SharedType.ViewAs(root, kind switch
        {
            RootKind.Text => TypeKind.Text,
            RootKind.Array => TypeKind.Array,
            RootKind.Map => TypeKind.Map,
            _ => TypeKind.XmlFragment,
        }).ToJson();
        return _subDocs.Count == 0 ? json : WithGuids(json);
    }

    private RootKind LooksLike(Branch root)
    {
        var kind = RootKind.Empty;
        for (var at = root.Start; at != 0; at = Store[at].Right)
        {
            ref var block = ref Store[at];
            if (block.IsDeleted)
                continue;
            if (block.Kind is StructKind.String or StructKind.Format)
                return RootKind.Text;
            if (kind == RootKind.Empty)
                kind = OfValue(block);
        }
        return kind == RootKind.Empty && root.Map is { } map && map.Values.Any(last => !Store[last].IsDeleted) ? RootKind.Map : kind;
    }

    private RootKind OfValue(in Block block) => block.Kind switch
    {
        StructKind.Embed => RootKind.Text,
        StructKind.Type when Store.TypeOf(block).Kind is TypeKind.XmlElement or TypeKind.XmlText or TypeKind.XmlHook => RootKind.Xml,
        StructKind.Gc or StructKind.Deleted => RootKind.Empty,
        _ => RootKind.Array,
    };

    private static Any WithGuids(in Any value) => value.Kind switch
    {
        AnyKind.Doc => Any.FromObject(("guid", value.AsDoc().Guid)),
        AnyKind.Array => Any.FromArray([.. value.AsArray().Select(element => WithGuids(element))]),
        AnyKind.Object => Any.FromObject(new OrderedDictionary<string, Any>(
            value.AsObject().Select(member => KeyValuePair.Create(member.Key, WithGuids(member.Value))))),
        _ => value,
    };
}
