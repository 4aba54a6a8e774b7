namespace Collab.Crdt;

/// <summary>What is wrong with an update, a state vector, or a sync or awareness message.</summary>
/// <param name="Kind">The sort of fault.</param>
/// <param name="Offset">Where it was found, in bytes from the start.</param>
/// <param name="Message">One sentence for a log line; holds numbers, never content.</param>
public readonly record struct UpdateFault(UpdateFaultKind Kind, int Offset, string Message)
{
    /// <summary>The fault as one line: kind, offset and message.</summary>
    public override string ToString() => $"{Kind} at byte {Offset}: {Message}";
}

/// <summary>The sorts of faults that bytes from a stranger can have.</summary>
public enum UpdateFaultKind
{
    /// <summary>The bytes end inside a value.</summary>
    Truncated,

    /// <summary>A number needs more than 53 bits.</summary>
    NumberTooLarge,

    /// <summary>A count is larger than the remaining bytes can hold.</summary>
    CountTooLarge,

    /// <summary>A clock, or a clock and a length together, exceed <see cref="UpdateLimits.MaxClock"/>.</summary>
    ClockTooLarge,

    /// <summary>A string is not UTF-8.</summary>
    InvalidUtf8,

    /// <summary>A JSON text is malformed.</summary>
    InvalidJson,

    /// <summary>A value or a chain of shared types is nested too deeply.</summary>
    TooDeep,

    /// <summary>A value has an unknown tag, or is of a kind that cannot stand there.</summary>
    UnknownValue,

    /// <summary>A struct is of a kind that Yjs 13 does not have (such as the moves of other implementations).</summary>
    UnknownContent,

    /// <summary>A shared type is of a kind that Yjs 13 does not have (such as the weak links of other implementations).</summary>
    UnknownType,

    /// <summary>A struct has no length, which only an empty string may.</summary>
    EmptyStruct,

    /// <summary>A struct refers to itself or to a later struct of its own client.</summary>
    InvalidReference,

    /// <summary>A struct's parent is none: neither a root's name nor the id of a shared type.</summary>
    InvalidParent,

    /// <summary>Bytes follow the end.</summary>
    TrailingBytes,

    /// <summary>The whole is larger, or holds more, than the limits allow.</summary>
    TooLarge,

    /// <summary>A message is of an unknown kind.</summary>
    UnknownMessage,
}
