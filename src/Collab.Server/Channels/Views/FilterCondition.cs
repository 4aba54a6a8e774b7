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
    private readonly ExactNumber?[] _numbers;

    /// <param name="column">The name of the column.</param>
    /// <param name="how">How its value is compared.</param>
    /// <param name="values">With what; one, save for <see cref="FilterOperator.In"/>.</param>
    public FilterCondition(string column, FilterOperator how, string[] values)
    {
        (Column, _operator, _values) = (column, how, values);
        _numbers = [.. values.Select(value => ExactNumber.Parse(Encoding.UTF8.GetBytes(value)))];
    }

    /// <summary>The name of the column.</summary>
    public string Column { get; }

    public bool Holds(in RowValue value)
    {
        if (value.IsNull)
            return _operator is FilterOperator.Is && _values[0] is "null";
        return _operator switch
        {
            FilterOperator.Is => _values[0] is "not_null"
                || (value.Kind is JsonValueKind.True && _values[0] is "true")
                || (value.Kind is JsonValueKind.False && _values[0] is "false"),
            FilterOperator.Eq or FilterOperator.In => IsAny(value),
            FilterOperator.Neq => value.Kind is not (JsonValueKind.Object or JsonValueKind.Array) && !IsAny(value),
            _ => Order(value) is { } order && _operator switch
            {
                FilterOperator.Lt => order < 0,
                FilterOperator.Lte => order <= 0,
                FilterOperator.Gt => order > 0,
                _ => order >= 0,
            },
        };
    }

    private bool IsAny(in RowValue value)
    {
        for (var i = 0; i < _values.Length; i++)
        {
            if (value.Kind switch
            {
                JsonValueKind.String => _values[i] == value.Text,
                JsonValueKind.Number => _numbers[i] == value.Number,
                JsonValueKind.True => _values[i] is "true",
                JsonValueKind.False => _values[i] is "false",
                _ => false,
            })
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Null when they cannot be compared.</summary>
    private int? Order(in RowValue value) => value.Kind switch
    {
        // As UTF-8 sorts, which is by characters.
        JsonValueKind.String => Encoding.UTF8.GetBytes(value.Text!).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(_values[0])),
        JsonValueKind.Number => _numbers[0] is { } other ? value.Number.CompareTo(other) : null,
        _ => null,
    };
}
