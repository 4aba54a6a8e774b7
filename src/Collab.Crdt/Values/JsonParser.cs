using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Collab.Crdt;

/// <summary>Builds values from JSON texts, as JavaScript's <c>JSON.parse</c> does. Nesting costs no call stack.</summary>
internal static class JsonParser
{
    /// <summary>
    /// The deepest nesting that is built, whatever the limits say: values are compared and written by recursion, which this
    /// many levels never exhaust.
    /// </summary>
    public const int MaxDepth = 1000;

    // The depth is checked here, where too deep can be told from malformed.
    private static readonly JsonReaderOptions AnyDepth = new() { MaxDepth = int.MaxValue };

    /// <summary>A list or an object whose members are being read; <c>Name</c> is that of the member that comes next.</summary>
    private sealed class Container(bool isObject)
    {
        private readonly List<Any>? _items = isObject ? null : [];
        private readonly OrderedDictionary<string, Any>? _members = isObject ? [] : null;

        public string Name { get; set; } = "";

        public void Add(in Any value)
        {
            if (_members is not null)
                _members[Name] = value;
            else
                _items!.Add(value);
        }

        public Any ToAny() => _members is not null ? Any.FromObject(_members) : _items!.ToArray();
    }

    /// <summary>The value of <paramref name="utf8"/>, which stands at <paramref name="offset"/> of the update.</summary>
    /// <exception cref="InvalidUpdateException">The text is not JSON, or is nested over <see cref="MaxDepth"/> deep.</exception>
    public static Any Parse(ReadOnlySpan<byte> utf8, int offset)
    {
        var json = new Utf8JsonReader(utf8, AnyDepth);
        try
        {
            if (!json.Read())
                throw Faults.InvalidJson(offset);
            var value = ReadValue(ref json, offset);
            // Throws when more than white space follows.
            json.Read();
            return value;
        }
        catch (JsonException)
        {
            throw Faults.InvalidJson(offset + (int)json.BytesConsumed);
        }
    }

    private static Any ReadValue(ref Utf8JsonReader json, int offset)
    {
        if (json.TokenType is not (JsonTokenType.StartArray or JsonTokenType.StartObject))
            return Plain(ref json);

        var outer = new Stack<Container>();
        var innermost = new Container(json.TokenType == JsonTokenType.StartObject);
        while (json.Read())
        {
            switch (json.TokenType)
            {
                case JsonTokenType.StartArray or JsonTokenType.StartObject:
                    outer.Push(innermost);
                    if (outer.Count >= MaxDepth)
                        throw Faults.TooDeep(offset + (int)json.TokenStartIndex, MaxDepth);
                    innermost = new Container(json.TokenType == JsonTokenType.StartObject);
                    break;
                case JsonTokenType.EndArray or JsonTokenType.EndObject:
                    var complete = innermost.ToAny();
                    if (outer.Count == 0)
                        return complete;
                    innermost = outer.Pop();
                    innermost.Add(complete);
                    break;
                case JsonTokenType.PropertyName:
                    innermost.Name = Text(ref json);
                    break;
                default:
                    innermost.Add(Plain(ref json));
                    break;
            }
        }
        throw Faults.InvalidJson(offset + (int)json.BytesConsumed);
    }

    private static Any Plain(ref Utf8JsonReader json) => json.TokenType switch
    {
        JsonTokenType.String => Text(ref json),
        JsonTokenType.Number => double.Parse(json.ValueSpan, NumberStyles.Float, CultureInfo.InvariantCulture),
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        _ => Any.Null,
    };

    // The reader's own method refuses halves of surrogate pairs, which JavaScript reads and writes as escapes.
    private static string Text(ref Utf8JsonReader json)
    {
        if (!json.ValueIsEscaped)
            return Encoding.UTF8.GetString(json.ValueSpan);
        var raw = Encoding.UTF8.GetString(json.ValueSpan);
        var text = new StringBuilder(raw.Length);
        for (var i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '\\')
            {
                text.Append(raw[i]);
                continue;
            }
            var sign = raw[++i];
            text.Append(sign switch
            {
                'b' => '\b',
                'f' => '\f',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => (char)ushort.Parse(raw.AsSpan(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
                _ => sign,
            });
            i += sign == 'u' ? 4 : 0;
        }
        return text.ToString();
    }
}
