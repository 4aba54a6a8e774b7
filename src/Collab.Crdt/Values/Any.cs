using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Collab.Crdt;

/// <summary>
/// A value in a document: what JSON can say, and also undefined, 64-bit integers, bytes, shared types and subdocuments.
/// Strings, numbers, booleans, bytes, shared types and documents convert to it by themselves.
/// </summary>
/// <remarks>
/// Immutable, 16 bytes. Arrays, objects and bytes are not copied: do not change them after they were handed over.
/// Encoded as lib0's <c>Any</c> (<c>writeAny</c> of lib0's encoding.js).
/// </remarks>
public readonly struct Any : IEquatable<Any>
{
    private static readonly object NullMark = new(), BooleanMark = new(), NumberMark = new(), BigIntMark = new();

    // The value itself, or a mark that says how to read the bits.
    private readonly object? _reference;
    private readonly long _bits;

    private Any(object? reference, long bits = 0)
    {
        _reference = reference;
        _bits = bits;
    }

    /// <summary>JSON's <c>null</c>.</summary>
    public static Any Null => new(NullMark);

    /// <summary>JavaScript's <c>undefined</c>, which is also the default.</summary>
    public static Any Undefined => default;

    /// <summary>A list of plain values.</summary>
    /// <param name="values">The values; no shared types and no documents.</param>
    public static Any FromArray(params IReadOnlyList<Any> values) => new(Checked(values));

    /// <summary>Plain values by name, in this order.</summary>
    /// <param name="values">The values; no shared types and no documents.</param>
    public static Any FromObject(IReadOnlyDictionary<string, Any> values) => new(Checked(values));

    /// <summary>Plain values by name, in this order. Of equal names the last one counts.</summary>
    /// <param name="values">The values; no shared types and no documents.</param>
    public static Any FromObject(params ReadOnlySpan<(string Name, Any Value)> values)
    {
        var map = new OrderedDictionary<string, Any>(values.Length);
        foreach (var (name, value) in values)
            map[name] = value;
        return FromObject(map);
    }

    /// <summary>What it holds.</summary>
    public AnyKind Kind => _reference switch
    {
        null => AnyKind.Undefined,
        string => AnyKind.String,
        var mark when ReferenceEquals(mark, NumberMark) => AnyKind.Number,
        var mark when ReferenceEquals(mark, BooleanMark) => AnyKind.Boolean,
        var mark when ReferenceEquals(mark, NullMark) => AnyKind.Null,
        var mark when ReferenceEquals(mark, BigIntMark) => AnyKind.BigInt,
        byte[] => AnyKind.Bytes,
        SharedType => AnyKind.Type,
        Crdt.Doc => AnyKind.Doc,
        IReadOnlyDictionary<string, Any> => AnyKind.Object,
        _ => AnyKind.Array,
    };

    /// <summary>True for null and for undefined.</summary>
    public bool IsNullish => _reference is null || ReferenceEquals(_reference, NullMark);

    /// <summary>True for undefined alone.</summary>
    public bool IsUndefined => _reference is null;

    /// <summary>The boolean.</summary>
    /// <exception cref="InvalidOperationException">It is not one.</exception>
    public bool AsBoolean() => ReferenceEquals(_reference, BooleanMark) ? _bits != 0 : throw Not(AnyKind.Boolean);

    /// <summary>The number; a 64-bit integer is converted.</summary>
    /// <exception cref="InvalidOperationException">It is not one.</exception>
    public double AsNumber() =>
        ReferenceEquals(_reference, NumberMark) ? BitConverter.Int64BitsToDouble(_bits)
        : ReferenceEquals(_reference, BigIntMark) ? _bits
        : throw Not(AnyKind.Number);

    /// <summary>The 64-bit integer; a number without fraction is converted.</summary>
    /// <exception cref="InvalidOperationException">It is not one.</exception>
    public long AsBigInt() =>
        ReferenceEquals(_reference, BigIntMark) ? _bits
        : ReferenceEquals(_reference, NumberMark) && AsNumber() is var number && Math.Abs(number) < 1L << 53 && Math.Floor(number) == number ? (long)number
        : throw Not(AnyKind.BigInt);

    /// <summary>The text.</summary>
    /// <exception cref="InvalidOperationException">It is not text.</exception>
    public string AsString() => _reference as string ?? throw Not(AnyKind.String);

    /// <summary>The bytes.</summary>
    /// <exception cref="InvalidOperationException">It does not hold bytes.</exception>
    public ReadOnlyMemory<byte> AsBytes() => _reference as byte[] ?? throw Not(AnyKind.Bytes);

    /// <summary>The list of values.</summary>
    /// <exception cref="InvalidOperationException">It is not a list.</exception>
    public IReadOnlyList<Any> AsArray() => _reference as IReadOnlyList<Any> ?? throw Not(AnyKind.Array);

    /// <summary>The values by name, in their order.</summary>
    /// <exception cref="InvalidOperationException">It is not an object.</exception>
    public IReadOnlyDictionary<string, Any> AsObject() => _reference as IReadOnlyDictionary<string, Any> ?? throw Not(AnyKind.Object);

    /// <summary>The shared type.</summary>
    /// <typeparam name="T">Its class, such as <see cref="Text"/>.</typeparam>
    /// <exception cref="InvalidOperationException">It is no shared type of that class.</exception>
    public T AsType<T>()
        where T : SharedType => _reference as T ?? throw Not(AnyKind.Type);

    /// <summary>The subdocument.</summary>
    /// <exception cref="InvalidOperationException">It is not one.</exception>
    public Doc AsDoc() => _reference as Doc ?? throw Not(AnyKind.Doc);

    /// <summary>The text if it is text.</summary>
    public bool TryGetString([NotNullWhen(true)] out string? text) => (text = _reference as string) is not null;

    /// <summary>Text, or null for a null reference.</summary>
    public static implicit operator Any(string? value) => new(value ?? NullMark);

    /// <summary>A boolean.</summary>
    public static implicit operator Any(bool value) => new(BooleanMark, value ? 1 : 0);

    /// <summary>A number.</summary>
    public static implicit operator Any(int value) => (double)value;

    /// <summary>A 64-bit integer, which JavaScript sees as <c>BigInt</c>. Convert to <see cref="double"/> for a plain number.</summary>
    public static implicit operator Any(long value) => new(BigIntMark, value);

    /// <summary>A number.</summary>
    public static implicit operator Any(double value) => new(NumberMark, BitConverter.DoubleToInt64Bits(value));

    /// <summary>Bytes; the array is not copied.</summary>
    public static implicit operator Any(byte[]? value) => new(value ?? NullMark);

    /// <summary>A list of plain values; the array is not copied.</summary>
    public static implicit operator Any(Any[]? value) => value is null ? Null : FromArray(value);

    /// <summary>A shared type.</summary>
    public static implicit operator Any(SharedType? value) => new(value ?? NullMark);

    /// <summary>A subdocument.</summary>
    public static implicit operator Any(Doc? value) => new(value ?? NullMark);

    /// <summary>Equal in kind and content, lists and objects member by member. Numbers compare as in C#, so NaN equals NaN.</summary>
    public bool Equals(Any other)
    {
        if (ReferenceEquals(_reference, other._reference))
            return ReferenceEquals(_reference, NumberMark) ? AsNumber().Equals(other.AsNumber()) : _bits == other._bits;
        return (_reference, other._reference) switch
        {
            (string a, string b) => a == b,
            (byte[] a, byte[] b) => a.AsSpan().SequenceEqual(b),
            (IReadOnlyDictionary<string, Any> a, IReadOnlyDictionary<string, Any> b) =>
                a.Count == b.Count && a.All(entry => b.TryGetValue(entry.Key, out var value) && entry.Value.Equals(value)),
            (IReadOnlyList<Any> a, IReadOnlyList<Any> b) => a.SequenceEqual(b),
            _ => false,
        };
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Any other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _reference switch
    {
        null => 0,
        string text => text.GetHashCode(StringComparison.Ordinal),
        byte[] bytes => bytes.Length,
        ICollection list => list.Count,
        _ => HashCode.Combine(Kind, _bits),
    };

    /// <summary>Equal in kind and content.</summary>
    public static bool operator ==(Any left, Any right) => left.Equals(right);

    /// <summary>Different in kind or content.</summary>
    public static bool operator !=(Any left, Any right) => !left.Equals(right);

    /// <summary>Text as it is, everything else as JSON.</summary>
    public override string ToString() => _reference as string ?? AnyJson.Stringify(this);

    /// <summary>The reference held, for the engine: a string, bytes, a type, or a mark.</summary>
    internal object? Reference => _reference;

    /// <summary>Wraps something of the engine's own that lives in a heap beside values and is never handed out.</summary>
    internal static Any Of(object reference) => new(reference);

    /// <summary>Equal as JavaScript's <c>===</c> has it: objects, lists and bytes only when they are the same one.</summary>
    internal bool StrictEquals(in Any other) =>
        ReferenceEquals(_reference, NumberMark) && ReferenceEquals(other._reference, NumberMark) ? AsNumber() == other.AsNumber()
        : _reference is string text ? other._reference is string otherText && text == otherText
        : ReferenceEquals(_reference, other._reference) && _bits == other._bits;

    private InvalidOperationException Not(AnyKind wanted) => new($"The value is {Kind}, not {wanted}.");

    private static object Checked(IReadOnlyList<Any> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        // Bytes are told from lists by their class; a list of another class must not look like an object.
        return values is IReadOnlyDictionary<string, Any> ? values.ToArray() : values;
    }

    private static object Checked(IReadOnlyDictionary<string, Any> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return values;
    }
}
