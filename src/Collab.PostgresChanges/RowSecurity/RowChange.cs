using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Collab.PostgresChanges.RowSecurity;

/// <summary>
/// A change of a row, as somebody may be told of it. Of a row that he sees now: all columns that he may read, and what the row was by its key alone, as
/// nobody can say whether he saw that. Of a row that is gone its key, as the database cannot be asked about it any more. Of a row that he does not see
/// nothing. (Supabase Realtime draws the lines there, too.)
/// </summary>
internal readonly struct RowChange
{
    private readonly JsonElement _data;
    private readonly JsonElement _record;
    private readonly JsonElement _old;

    public RowChange(JsonElement data)
    {
        _data = data;
        if (data.ValueKind is not JsonValueKind.Object)
            return;
        data.TryGetProperty("record"u8, out _record);
        data.TryGetProperty("oldRecord"u8, out _old);
    }

    /// <summary>What the row's columns of the key have, as text; without any when it has no row, or null where nobody can say.</summary>
    public string?[] KeyOf(TableShape shape)
    {
        var key = new string?[shape.Key.Count];
        for (var i = 0; i < key.Length; i++)
        {
            if (_record.ValueKind is JsonValueKind.Object && _record.TryGetProperty(shape.Key[i].Name, out var value))
                key[i] = TextOf(value);
        }

        return key;
    }

    /// <summary>What of it is told to somebody; null for nothing.</summary>
    /// <param name="shape">The table, as it is to him.</param>
    /// <param name="isSeen">Whether he sees the row.</param>
    public JsonElement? AsSeen(TableShape shape, bool isSeen)
    {
        if (_data.ValueKind is not JsonValueKind.Object || (_record.ValueKind is JsonValueKind.Object && !isSeen))
            return null;
        if (_record.ValueKind is JsonValueKind.Object && _old.ValueKind is not JsonValueKind.Object
            && _record.EnumerateObject().All(column => shape.Visible.Contains(column.Name)) && shape.Visible.Count == shape.Columns.Count)
            return _data;

        using var output = new MemoryStream();
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            foreach (var property in _data.EnumerateObject())
            {
                var columns = property.NameEquals("oldRecord"u8) ? shape.KeyNames : shape.Visible;
                switch (property.Value.ValueKind)
                {
                    case JsonValueKind.Object:
                        json.WriteStartObject(property.Name);
                        foreach (var column in property.Value.EnumerateObject().Where(column => columns.Contains(column.Name)))
                            column.WriteTo(json);
                        json.WriteEndObject();
                        break;
                    case JsonValueKind.Array:
                        json.WriteStartArray(property.Name);
                        foreach (var column in property.Value.EnumerateArray().Where(column => column.ValueKind is JsonValueKind.String && columns.Contains(column.GetString()!)))
                            column.WriteTo(json);
                        json.WriteEndArray();
                        break;
                    default:
                        property.WriteTo(json);
                        break;
                }
            }

            json.WriteEndObject();
        }

        return JsonElement.Parse(output.ToArray());
    }

    private static string? TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(value)),
        _ => null,
    };
}
