using System.Runtime.InteropServices;
using System.Text.Json;

namespace Collab.Server.Channels.Views;

/// <summary>The data of a message as filters look at them: their properties, or the row of a table before and after a change.</summary>
internal sealed class MessageRow
{
    private readonly Dictionary<string, RowValue>? _own;
    private readonly Dictionary<string, RowValue>? _new;
    private readonly Dictionary<string, RowValue>? _old;
    private readonly HashSet<string>? _truncated;
    private readonly HashSet<string>? _unchanged;
    private readonly bool _isTruncated;

    public static MessageRow Of(StoredMessage message) => new(JsonElement.Parse(message.Data.Utf8.Span));

    public MessageRow(JsonElement data)
    {
        if (data.ValueKind is not JsonValueKind.Object)
            return;
        IsObject = true;
        IsOfTable = data.TryGetProperty("record"u8, out var record) | data.TryGetProperty("oldRecord"u8, out var old)
            || (data.TryGetProperty("schema"u8, out _) && data.TryGetProperty("table"u8, out _) && data.TryGetProperty("commitTime"u8, out _));
        if (!IsOfTable)
        {
            _own = ValuesOf(data);
            return;
        }

        (_new, _old) = (ValuesOf(record), ValuesOf(old));
        _unchanged = NamesOf(data, "unchanged"u8, out _);
        _truncated = NamesOf(data, "truncated"u8, out _isTruncated);
    }

    /// <summary>Whether there is anything to look at.</summary>
    public bool IsObject { get; }

    /// <summary>Whether it is a change of a table.</summary>
    public bool IsOfTable { get; }

    public bool HasNew => _new is not null;

    public bool HasOld => _old is not null;

    /// <summary>A property of what is no change of a table; one that is not there is as null.</summary>
    public RowValue? Own(string name) => _own!.GetValueOrDefault(name);

    /// <summary>A column of the row before the change; null when it is not told, as often only the key is.</summary>
    public RowValue? Old(string column) => _old!.TryGetValue(column, out var value) ? value : null;

    /// <summary>
    /// A column of the row after the change; null when it is not told: large columns are left out when they have not changed, or would make the
    /// message too large.
    /// </summary>
    public RowValue? New(string column) =>
        _new!.TryGetValue(column, out var value) ? value
        : _isTruncated || _truncated?.Contains(column) is true ? null
        : _unchanged?.Contains(column) is not true ? default(RowValue)
        : HasOld ? Old(column)
        : null;

    private static Dictionary<string, RowValue>? ValuesOf(JsonElement row)
    {
        if (row.ValueKind is not JsonValueKind.Object)
            return null;
        var values = new Dictionary<string, RowValue>(StringComparer.Ordinal);
        foreach (var property in row.EnumerateObject())
            values[property.Name] = RowValue.Of(property.Value);
        return values;
    }

    /// <param name="data">The data.</param>
    /// <param name="list">The list in it.</param>
    /// <param name="isAll">Whether it stands for all columns.</param>
    private static HashSet<string>? NamesOf(JsonElement data, ReadOnlySpan<byte> list, out bool isAll)
    {
        data.TryGetProperty(list, out var names);
        isAll = names.ValueKind is JsonValueKind.True;
        return names.ValueKind is JsonValueKind.Array
            ? [.. names.EnumerateArray().Where(name => name.ValueKind is JsonValueKind.String).Select(name => name.GetString()!)]
            : null;
    }
}

/// <summary>A value in a row. Its default is null.</summary>
/// <param name="Kind">What it is in JSON; undefined for null.</param>
/// <param name="Text">Of a string what it says.</param>
/// <param name="Number">Of a number what it is.</param>
internal readonly record struct RowValue(JsonValueKind Kind, string? Text, ExactNumber Number)
{
    public bool IsNull => Kind is JsonValueKind.Undefined or JsonValueKind.Null;

    public static RowValue Of(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => new RowValue(JsonValueKind.String, value.GetString(), default),
        JsonValueKind.Number => new RowValue(JsonValueKind.Number, null, ExactNumber.Parse(JsonMarshal.GetRawUtf8Value(value))!.Value),
        var kind => new RowValue(kind, null, default),
    };
}
