namespace Collab.Crdt;

/// <summary>Values as text, as JavaScript's <c>String(value)</c> has them.</summary>
internal static class AnyText
{
    public static string Of(in Any value) => value.Kind switch
    {
        AnyKind.Undefined => "undefined",
        AnyKind.Number when double.IsNaN(value.AsNumber()) => "NaN",
        AnyKind.Number when double.IsInfinity(value.AsNumber()) => value.AsNumber() > 0 ? "Infinity" : "-Infinity",
        AnyKind.Array => string.Join(',', value.AsArray().Select(item => item.IsNullish ? "" : Of(item))),
        AnyKind.Bytes => string.Join(',', value.AsBytes().ToArray()),
        AnyKind.Object => "[object Object]",
        AnyKind.Type => value.AsType<SharedType>().ToString() ?? "",
        AnyKind.Doc => "[object Object]",
        _ => value.ToString(),
    };
}
