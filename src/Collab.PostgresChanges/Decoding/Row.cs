namespace Collab.PostgresChanges.Decoding;

/// <summary>A row within a message, without its bytes; used again for each.</summary>
internal sealed class Row
{
    private RowValue[] _values = new RowValue[32];

    public int Count { get; private set; }

    public RowValue this[int column]
    {
        get => column < Count ? _values[column] : RowValue.Null;
        set => _values[column] = value;
    }

    public void Clear(int count)
    {
        if (count > _values.Length)
            _values = new RowValue[count];
        Count = count;
    }
}

/// <summary>Where the text of a column's value stands in its message.</summary>
internal readonly record struct RowValue(RowValueKind Kind, int Start = 0, int Length = 0)
{
    public static readonly RowValue Null = new(RowValueKind.Null);

    public static readonly RowValue Unchanged = new(RowValueKind.Unchanged);
}

/// <summary>What is known of a column's value.</summary>
internal enum RowValueKind
{
    Null,

    /// <summary>It is stored apart from its row (TOAST) and was not changed, so Postgres does not send it.</summary>
    Unchanged,

    Text,
}
