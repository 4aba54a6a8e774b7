using System.Runtime.CompilerServices;

namespace Collab.Crdt;

/// <summary>Turns what may stand in a document into plain values.</summary>
internal static class TypeJson
{
    /// <summary>A shared type as its JSON; everything else as it is.</summary>
    /// <exception cref="InsufficientExecutionStackException">Types are nested too deeply to be shown as values.</exception>
    public static Any Of(Any value)
    {
        if (value.Kind != AnyKind.Type)
            return value;
        RuntimeHelpers.EnsureSufficientExecutionStack();
        return value.AsType<SharedType>().ToJson();
    }
}
