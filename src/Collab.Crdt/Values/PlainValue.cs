namespace Collab.Crdt;

/// <summary>Checks values before they go into a document, where nothing may stand that cannot be sent to others.</summary>
internal static class PlainValue
{
    /// <summary>How deep a value may be nested: what <see cref="UpdateLimits.MaxDepth"/> lets pass elsewhere.</summary>
    private const int MaxDepth = 256;

    /// <summary>Throws when a list or an object holds a shared type or a document, or is nested too deeply.</summary>
    /// <exception cref="ArgumentException">The value cannot stand in a document.</exception>
    public static void Check(in Any value) => Check(value, 0);

    /// <inheritdoc cref="Check(in Any)"/>
    public static void Check(IReadOnlyDictionary<string, Any>? attributes)
    {
        if (attributes is null)
            return;
        foreach (var (_, value) in attributes)
            CheckMember(value, 0);
    }

    private static void Check(in Any value, int depth)
    {
        if (value.Kind is not (AnyKind.Array or AnyKind.Object))
            return;
        if (depth == MaxDepth)
            throw new ArgumentException($"A value is nested over {MaxDepth} deep.");
        if (value.Kind == AnyKind.Array)
        {
            foreach (var item in value.AsArray())
                CheckMember(item, depth + 1);
        }
        else
        {
            foreach (var (_, member) in value.AsObject())
                CheckMember(member, depth + 1);
        }
    }

    private static void CheckMember(in Any member, int depth)
    {
        if (member.Kind is AnyKind.Type or AnyKind.Doc)
            throw new ArgumentException("Shared types and documents cannot stand inside a plain value. Insert them into a shared array or map.");
        Check(member, depth);
    }
}
