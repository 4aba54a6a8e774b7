using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Collab.Server.Channels.Views;

/// <summary>How a condition compares.</summary>
internal enum FilterOperator
{
    Eq,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
    In,
    Is,
}

/// <summary>
/// One condition of a filter. A JSON number is compared as a number, exactly; a string character by character (so dates as they are written
/// sort by time); booleans are only equal or not. Null and what is a list or an object compare with nothing, as null does in SQL.
/// </summary>
internal sealed class FilterCondition
{
    public const int MaxValues = 100;

    private readonly FilterOperator _operator;
    private readonly string[] _values;
    private readonly byte[][] _texts;
    private readonly ExactNumber?[] _numbers;

    /// <param name="column">The name of the column.</param>
    /// <param name="how">How its value is compared.</param>
    /// <param name="values">With what; one, save for <see cref="FilterOperator.In"/>.</param>
    public FilterCondition(string column, FilterOperator how, string[] values)
    {
        Column = Encoding.UTF8.GetBytes(column);
        (_operator, _values) = (how, values);
        _texts = [.. values.Select(Encoding.UTF8.GetBytes)];
        _numbers = [.. _texts.Select(text => ExactNumber.Parse(text))];
    }

    /// <summary>The name of the column, in UTF-8.</summary>
    public byte[] Column { get; }

    public bool Holds(JsonElement value)
    {
        if (value.ValueKind is JsonValueKind.Null)
            return _operator is FilterOperator.Is && _values[0] is "null";
        return _operator switch
        {
            FilterOperator.Is => _values[0] is "not_null"
                || (value.ValueKind is JsonValueKind.True && _values[0] is "true")
                || (value.ValueKind is JsonValueKind.False && _values[0] is "false"),
            FilterOperator.Eq or FilterOperator.In => IsAny(value),
            FilterOperator.Neq => value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array) && !IsAny(value),
            _ => Order(value) is { } order && _operator switch
            {
                FilterOperator.Lt => order < 0,
                FilterOperator.Lte => order <= 0,
                FilterOperator.Gt => order > 0,
                _ => order >= 0,
            },
        };
    }

    private bool IsAny(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                foreach (var text in _texts)
                {
                    if (value.ValueEquals(text))
                        return true;
                }

                return false;
            case JsonValueKind.Number:
                var number = ExactNumber.Parse(JsonMarshal.GetRawUtf8Value(value));
                foreach (var other in _numbers)
                {
                    if (other == number)
                        return true;
                }

                return false;
            case JsonValueKind.True:
                return _values.Contains("true");
            case JsonValueKind.False:
                return _values.Contains("false");
            default:
                return false;
        }
    }

    /// <summary>Null when they cannot be compared.</summary>
    private int? Order(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => Encoding.UTF8.GetBytes(value.GetString()!).AsSpan().SequenceCompareTo(_texts[0]),
        JsonValueKind.Number => _numbers[0] is { } other ? ExactNumber.Parse(JsonMarshal.GetRawUtf8Value(value))!.Value.CompareTo(other) : null,
        _ => null,
    };
}
