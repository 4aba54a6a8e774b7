using System.Text;

namespace Collab.Server.Channels.Views;

/// <summary>
/// Reads a filter: conditions with <c>&amp;</c> between, each <c>column=operator.value</c>. A column or a value may stand in double quotes, in
/// which a backslash stands before a quote or a backslash; it must when it has one of <c>&amp; = " ( ) ,</c> in it (a value may have <c>=</c>).
/// </summary>
internal sealed class FilterParser(string text)
{
    private int _at;

    /// <exception cref="CollabException"><c>invalid_argument</c>.</exception>
    public FilterCondition ReadCondition()
    {
        var column = ReadText("&=\"(),");
        if (column.Length == 0 || !Takes('='))
            throw ChannelFilter.Fault("a condition is column=operator.value");
        var end = text.IndexOf('.', _at);
        var how = end < 0 ? null : OperatorOf(text[_at..end]);
        if (how is null)
            throw ChannelFilter.Fault("the operators are eq, neq, lt, lte, gt, gte, in and is");
        _at = end + 1;
        string[] values = how is FilterOperator.In ? ReadList() : [ReadText("&\"(),")];
        if (how is FilterOperator.Is && values[0] is not ("null" or "not_null" or "true" or "false"))
            throw ChannelFilter.Fault("is compares with null, not_null, true or false");
        return new FilterCondition(column, how.Value, values);
    }

    /// <summary>Whether another condition follows.</summary>
    /// <exception cref="CollabException"><c>invalid_argument</c>: something else does.</exception>
    public bool ReadAnd()
    {
        if (_at == text.Length)
            return false;
        return Takes('&') ? true : throw ChannelFilter.Fault("put what has one of & = \" ( ) , in it into double quotes");
    }

    private string[] ReadList()
    {
        if (!Takes('('))
            throw ChannelFilter.Fault("a list of values is in.(a,b)");
        var values = new List<string>();
        do
        {
            if (values.Count == FilterCondition.MaxValues)
                throw ChannelFilter.Fault($"at most {FilterCondition.MaxValues} values in a list");
            values.Add(ReadText("&\"(),"));
        }
        while (Takes(','));
        return Takes(')') ? [.. values] : throw ChannelFilter.Fault("a list of values ends with )");
    }

    private string ReadText(string ends)
    {
        if (!Takes('"'))
        {
            var end = text.AsSpan(_at).IndexOfAny(ends);
            var bare = end < 0 ? text[_at..] : text.Substring(_at, end);
            _at += bare.Length;
            return bare;
        }

        var quoted = new StringBuilder();
        while (!Takes('"'))
        {
            Takes('\\');
            if (_at == text.Length)
                throw ChannelFilter.Fault("a double quote is not closed");
            quoted.Append(text[_at++]);
        }

        return quoted.ToString();
    }

    private bool Takes(char c)
    {
        if (_at == text.Length || text[_at] != c)
            return false;
        _at++;
        return true;
    }

    private static FilterOperator? OperatorOf(string name) => name switch
    {
        "eq" => FilterOperator.Eq,
        "neq" => FilterOperator.Neq,
        "lt" => FilterOperator.Lt,
        "lte" => FilterOperator.Lte,
        "gt" => FilterOperator.Gt,
        "gte" => FilterOperator.Gte,
        "in" => FilterOperator.In,
        "is" => FilterOperator.Is,
        _ => null,
    };
}
