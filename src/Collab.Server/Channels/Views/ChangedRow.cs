using System.Text.Json;

namespace Collab.Server.Channels.Views;

/// <summary>The data of a message as a filter reads them: properties, or the row of a table before and after a change.</summary>
internal readonly struct ChangedRow
{
    private static readonly JsonElement Null = JsonElement.Parse("null"u8);

    private readonly JsonElement _data;
    private readonly JsonElement _new;
    private readonly JsonElement _old;

    /// <param name="data">The data, which are an object.</param>
    public ChangedRow(JsonElement data)
    {
        _data = data;
        IsOfTable = data.TryGetProperty("record"u8, out _new) | data.TryGetProperty("oldRecord"u8, out _old)
            || (data.TryGetProperty("schema"u8, out _) && data.TryGetProperty("table"u8, out _) && data.TryGetProperty("commitTime"u8, out _));
    }

    /// <summary>Whether it is a change of a table.</summary>
    public bool IsOfTable { get; }

    public bool HasNew => _new.ValueKind is JsonValueKind.Object;

    public bool HasOld => _old.ValueKind is JsonValueKind.Object;

    /// <summary>A property of what is no change of a table; one that is not there is as null.</summary>
    public JsonElement? Own(byte[] name) => _data.TryGetProperty(name, out var value) ? value : Null;

    /// <summary>A column of the row before the change; null when it is not told, as often only the key is.</summary>
    public JsonElement? Old(byte[] column) => _old.TryGetProperty(column, out var value) ? value : null;

    /// <summary>
    /// A column of the row after the change; null when it is not told: large columns are left out when they have not changed, or would make the
    /// message too large.
    /// </summary>
    public JsonElement? New(byte[] column) =>
        _new.TryGetProperty(column, out var value) ? value
        : IsListed("truncated"u8, column) ? null
        : !IsListed("unchanged"u8, column) ? Null
        : HasOld ? Old(column)
        : null;

    /// <summary>Whether a list of columns has one, or stands for all.</summary>
    private bool IsListed(ReadOnlySpan<byte> list, byte[] column)
    {
        if (!_data.TryGetProperty(list, out var names))
            return false;
        if (names.ValueKind is not JsonValueKind.Array)
            return names.ValueKind is JsonValueKind.True;
        foreach (var name in names.EnumerateArray())
        {
            if (name.ValueKind is JsonValueKind.String && name.ValueEquals(column))
                return true;
        }

        return false;
    }
}
