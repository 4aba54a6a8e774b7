using System.Text.Json;
using Collab.Protocol;

namespace Collab.Server.Channels.Views;

/// <summary>
/// Which messages a reader wants, by what their data say: conditions that all hold, such as <c>room_id=eq.7&amp;state=in.(open,"on hold")</c>, in
/// the form that PostgREST has. Of a change of a table (data with <c>record</c> or <c>oldRecord</c>) it looks at the rows, of any other message at
/// the properties of its data.
/// </summary>
/// <remarks>
/// A reader keeps a list of rows right by it: he is told of a row that is, or just was, among his. So an update that makes a row leave the filter
/// comes, a change of no row in particular does (<c>truncate</c>), and so does a delete of which the database does not say enough.
/// </remarks>
internal sealed class ChannelFilter
{
    public const int MaxLength = 1000;
    public const int MaxConditions = 10;

    private readonly FilterCondition[] _conditions;

    private ChannelFilter(FilterCondition[] conditions) => _conditions = conditions;

    /// <exception cref="CollabException"><c>invalid_argument</c>: the text is no filter.</exception>
    public static ChannelFilter Parse(string text)
    {
        if (text.Length > MaxLength)
            throw Fault($"at most {MaxLength} characters");
        if (text.Any(char.IsControl))
            throw Fault("no control characters");
        var parser = new FilterParser(text);
        var conditions = new List<FilterCondition>();
        do
        {
            if (conditions.Count == MaxConditions)
                throw Fault($"at most {MaxConditions} conditions");
            conditions.Add(parser.ReadCondition());
        }
        while (parser.ReadAnd());
        return new ChannelFilter([.. conditions]);
    }

    public static CollabException Fault(string what) => new(ErrorCodes.InvalidArgument, $"filter: {what}; it reads like room_id=eq.7");

    public bool Matches(JsonElement data)
    {
        if (data.ValueKind is not JsonValueKind.Object)
            return false;
        var (isOfNow, isOfBefore) = (data.TryGetProperty("record"u8, out var record), data.TryGetProperty("oldRecord"u8, out var old));
        if (!isOfNow && !isOfBefore)
            return Holds(data, isWhole: true) is true;

        (isOfNow, isOfBefore) = (record.ValueKind is JsonValueKind.Object, old.ValueKind is JsonValueKind.Object);
        if (isOfNow)
            return HoldsNow(record, old, data) is not false || (isOfBefore && Holds(old, isWhole: false) is true);
        return !isOfBefore || Holds(old, isWhole: false) is not false;
    }

    /// <param name="row">The row.</param>
    /// <param name="isWhole">A column that is not in it is null; else nobody knows what it is.</param>
    /// <returns>Null when that cannot be told.</returns>
    private bool? Holds(JsonElement row, bool isWhole)
    {
        bool? all = true;
        foreach (var condition in _conditions)
        {
            if (row.TryGetProperty(condition.Column, out var value))
                all = condition.Holds(value) ? all : false;
            else if (isWhole)
                all = condition.HoldsOfNull ? all : false;
            else
                all = all is false ? false : null;
            if (all is false)
                return false;
        }

        return all;
    }

    /// <summary>The same of a new row, of which large columns that have not changed may be missing.</summary>
    private bool? HoldsNow(JsonElement row, JsonElement old, JsonElement data)
    {
        if (!data.TryGetProperty("unchanged"u8, out var unchanged) || unchanged.ValueKind is not JsonValueKind.Array)
            return Holds(row, isWhole: true);
        bool? all = true;
        foreach (var condition in _conditions)
        {
            if (row.TryGetProperty(condition.Column, out var value)
                || (old.ValueKind is JsonValueKind.Object && old.TryGetProperty(condition.Column, out value)))
            {
                if (!condition.Holds(value))
                    return false;
            }
            else if (unchanged.EnumerateArray().Any(column => column.ValueKind is JsonValueKind.String && column.ValueEquals(condition.Column)))
            {
                all = null;
            }
            else if (!condition.HoldsOfNull)
            {
                return false;
            }
        }

        return all;
    }
}
