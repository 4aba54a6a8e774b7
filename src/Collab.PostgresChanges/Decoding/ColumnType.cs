namespace Collab.PostgresChanges.Decoding;

/// <summary>What the text of a value is in JSON.</summary>
internal enum ValueForm
{
    /// <summary>A string: Postgres' own text.</summary>
    Text,

    /// <summary><c>t</c> or <c>f</c>.</summary>
    Boolean,

    /// <summary>A number with all its digits; <c>NaN</c> and <c>Infinity</c> become strings.</summary>
    Number,

    /// <summary>JSON as it is.</summary>
    Json,

    /// <summary>Date and time, in ISO 8601.</summary>
    Timestamp,

    /// <summary>Bytes in hexadecimal digits, which become base64.</summary>
    Bytes,

    /// <summary>An array of another type.</summary>
    Array,
}

/// <summary>A type of columns.</summary>
/// <param name="Form">What its values become.</param>
/// <param name="Element">Of an array, the type of its elements.</param>
/// <param name="Delimiter">Of an array, what stands between its elements.</param>
internal sealed record ColumnType(ValueForm Form, ColumnType? Element = null, byte Delimiter = (byte)',')
{
    public static readonly ColumnType Text = new(ValueForm.Text);

    private static readonly ColumnType Number = new(ValueForm.Number);
    private static readonly ColumnType Json = new(ValueForm.Json);
    private static readonly ColumnType Timestamp = new(ValueForm.Timestamp);

    /// <summary>The types that need no look into the catalog, by their ids (<c>pg_type.dat</c>), which never change.</summary>
    public static readonly IReadOnlyDictionary<uint, ColumnType> BuiltIn = new Dictionary<uint, ColumnType>
    {
        [16] = new(ValueForm.Boolean), // bool
        [17] = new(ValueForm.Bytes), // bytea
        [20] = Number, // int8
        [21] = Number, // int2
        [23] = Number, // int4
        [25] = Text, // text
        [26] = Number, // oid
        [114] = Json, // json
        [700] = Number, // float4
        [701] = Number, // float8
        [1043] = Text, // varchar
        [1082] = Text, // date
        [1114] = Timestamp, // timestamp
        [1184] = Timestamp, // timestamptz
        [1700] = Number, // numeric
        [2950] = Text, // uuid
        [3802] = Json, // jsonb
    };
}
