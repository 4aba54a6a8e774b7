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

    public bool Matches(MessageRow row)
    {
        if (!row.IsObject)
            return false;
        if (!row.IsOfTable)
            return Holds(row, static (row, column) => row.Own(column)) is true;
        bool? before = row.HasOld ? Holds(row, static (row, column) => row.Old(column)) : null;
        return row.HasNew
            ? before is true || Holds(row, static (row, column) => row.New(column)) is not false
            : before is not false;
    }

    /// <summary>Whether all conditions hold; null when that cannot be told.</summary>
    private bool? Holds(MessageRow row, Func<MessageRow, string, RowValue?> valueOf)
    {
        bool? all = true;
        foreach (var condition in _conditions)
        {
            if (valueOf(row, condition.Column) is not { } value)
                all = null;
            else if (!condition.Holds(value))
                return false;
        }

        return all;
    }
}
