namespace Collab.Crdt;

/// <summary>What an operation of a delta does.</summary>
public enum DeltaKind
{
    /// <summary>Inserts text, an embedded value, or values of an array.</summary>
    Insert,

    /// <summary>Deletes units.</summary>
    Delete,

    /// <summary>Goes on over units, which may get other attributes.</summary>
    Retain,
}

/// <summary>One operation of a delta, as in Quill: a change is a list of them, from the start of a text or list on.</summary>
public sealed class Delta
{
    private Delta(DeltaKind kind, Any value, int length, IReadOnlyDictionary<string, Any>? attributes)
    {
        Kind = kind;
        Value = value;
        Length = length;
        Attributes = attributes;
    }

    /// <summary>What it does.</summary>
    public DeltaKind Kind { get; }

    /// <summary>What is inserted: a string, an embedded value or type; for an array, and for XML children, a list of values (see <see cref="Values"/>).</summary>
    public Any Value { get; }

    /// <summary>What is inserted into an array or as XML children, in order.</summary>
    public IReadOnlyList<Any> Values { get; private init; } = [];

    /// <summary>How many units it concerns: UTF-16 code units of a text, values of a list.</summary>
    public int Length { get; }

    /// <summary>The attributes that an insertion has, or that the units gone over get, the value null taking one away; null when there are none.</summary>
    public IReadOnlyDictionary<string, Any>? Attributes { get; }

    /// <summary>Inserts text, an embedded value or a shared type.</summary>
    /// <param name="value">What.</param>
    /// <param name="attributes">Its attributes.</param>
    public static Delta Insert(Any value, IReadOnlyDictionary<string, Any>? attributes = null) =>
        new(DeltaKind.Insert, value, value.TryGetString(out var text) ? text.Length : 1, attributes);

    /// <summary>Inserts values into a list.</summary>
    /// <param name="values">The values.</param>
    public static Delta InsertValues(IReadOnlyList<Any> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return new(DeltaKind.Insert, default, values.Count, null) { Values = values };
    }

    /// <summary>Deletes units.</summary>
    /// <param name="length">How many.</param>
    public static Delta Delete(int length) => new(DeltaKind.Delete, default, length, null);

    /// <summary>Goes on over units.</summary>
    /// <param name="length">How many.</param>
    /// <param name="attributes">What they get.</param>
    public static Delta Retain(int length, IReadOnlyDictionary<string, Any>? attributes = null) => new(DeltaKind.Retain, default, length, attributes);

    /// <summary>The operation as JSON, as in Quill.</summary>
    public override string ToString()
    {
        var json = new OrderedDictionary<string, Any>();
        if (Kind == DeltaKind.Insert)
            json["insert"] = Values.Count > 0 ? Any.FromArray([.. Values.Select(TypeJson.Of)]) : TypeJson.Of(Value);
        else
            json[Kind == DeltaKind.Delete ? "delete" : "retain"] = Length;
        if (Attributes is not null)
            json["attributes"] = Any.FromObject(Attributes);
        return Any.FromObject(json).ToString();
    }
}
