namespace Collab.Crdt;

/// <summary>The faults that bytes can have, each as an exception to throw. Messages carry numbers, never content.</summary>
internal static class Faults
{
    public static InvalidUpdateException Truncated(int offset, int wanted, int left) =>
        At(UpdateFaultKind.Truncated, offset, $"needs {wanted} bytes, {left} left");

    public static InvalidUpdateException NumberTooLarge(int offset) =>
        At(UpdateFaultKind.NumberTooLarge, offset, "a number is over 53 bits");

    public static InvalidUpdateException CountTooLarge(int offset, ulong count, int left) =>
        At(UpdateFaultKind.CountTooLarge, offset, $"{count} entries announced, {left} bytes left");

    public static InvalidUpdateException LengthTooLarge(int offset, ulong length, int left) =>
        At(UpdateFaultKind.Truncated, offset, $"{length} bytes announced, {left} left");

    public static InvalidUpdateException ClockTooLarge(int offset, ulong clock, uint max) =>
        At(UpdateFaultKind.ClockTooLarge, offset, $"clock {clock} is over {max}");

    public static InvalidUpdateException InvalidUtf8(int offset) =>
        At(UpdateFaultKind.InvalidUtf8, offset, "a string is not UTF-8");

    public static InvalidUpdateException InvalidJson(int offset) =>
        At(UpdateFaultKind.InvalidJson, offset, "a text is not JSON");

    public static InvalidUpdateException TooDeep(int offset, int maxDepth) =>
        At(UpdateFaultKind.TooDeep, offset, $"a value is nested over {maxDepth} deep");

    public static InvalidUpdateException UnknownAny(int offset, byte tag) =>
        At(UpdateFaultKind.UnknownValue, offset, $"no value has tag {tag}");

    public static InvalidUpdateException UnknownContent(int offset, byte info) =>
        At(UpdateFaultKind.UnknownContent, offset, $"Yjs 13 has no struct with info byte {info}");

    public static InvalidUpdateException UnknownType(int offset, ulong type) =>
        At(UpdateFaultKind.UnknownType, offset, $"Yjs 13 has no shared type {type}");

    public static InvalidUpdateException InvalidParentInfo(int offset, ulong value) =>
        At(UpdateFaultKind.InvalidParent, offset, $"a parent is 1 (root name) or 0 (id), not {value}");

    public static InvalidUpdateException At(UpdateFaultKind kind, int offset, string message) =>
        new(new UpdateFault(kind, offset, message));
}
