using System.Text.Json;
using Collab.Protocol;
using Collab.Server.Channels.Views;

namespace Collab.Server.Tests.Channels.Views;

/// <summary>What a filter says, and of which messages it holds.</summary>
public sealed class ChannelFilterTests
{
    [Theory]
    [InlineData("n=eq.7", """{"n":7}""", true)]
    [InlineData("n=eq.7", """{"n":7.0}""", true)]
    [InlineData("n=eq.7", """{"n":70e-1}""", true)]
    [InlineData("n=eq.7", """{"n":8}""", false)]
    [InlineData("n=eq.7", """{"n":"7"}""", true)]
    [InlineData("n=eq.7", """{"n":"7.0"}""", false)]
    [InlineData("n=eq.seven", """{"n":7}""", false)]
    [InlineData("n=eq.9007199254740993", """{"n":9007199254740992}""", false)]
    [InlineData("n=eq.0.1", """{"n":0.1000000000000000000000000000000000001}""", false)]
    [InlineData("n=eq.-0", """{"n":0.0}""", true)]
    [InlineData("n=neq.7", """{"n":8}""", true)]
    [InlineData("n=neq.7", """{"n":7}""", false)]
    [InlineData("n=neq.7", """{"n":null}""", false)]
    [InlineData("n=neq.7", "{}", false)]
    [InlineData("n=lt.10", """{"n":9}""", true)]
    [InlineData("n=lt.10", """{"n":10}""", false)]
    [InlineData("n=lt.-1", """{"n":-1.5}""", true)]
    [InlineData("n=lte.10", """{"n":10}""", true)]
    [InlineData("n=gt.9", """{"n":10}""", true)]
    [InlineData("n=gt.-2", """{"n":-1}""", true)]
    [InlineData("n=gt.0.05", """{"n":0.5}""", true)]
    [InlineData("n=gt.1e300", """{"n":123}""", false)]
    [InlineData("n=gte.10", """{"n":9}""", false)]
    [InlineData("n=gte.10", """{"n":true}""", false)]
    [InlineData("t=gte.2026-01-01", """{"t":"2026-03-01T10:00:00+00:00"}""", true)]
    [InlineData("t=lt.b", """{"t":"ab"}""", true)]
    [InlineData("t=lt.b", """{"t":"ö"}""", false)]
    [InlineData("t=eq.Håll", """{"t":"H\u00e5ll"}""", true)]
    [InlineData("b=eq.true", """{"b":true}""", true)]
    [InlineData("b=neq.true", """{"b":false}""", true)]
    [InlineData("b=is.true", """{"b":false}""", false)]
    [InlineData("b=is.false", """{"b":false}""", true)]
    [InlineData("b=is.true", """{"b":null}""", false)]
    [InlineData("b=is.null", """{"b":null}""", true)]
    [InlineData("b=is.null", "{}", true)]
    [InlineData("b=is.null", """{"b":0}""", false)]
    [InlineData("b=is.not_null", """{"b":[]}""", true)]
    [InlineData("b=is.not_null", """{"b":null}""", false)]
    [InlineData("n=in.(1,2,3)", """{"n":2}""", true)]
    [InlineData("n=in.(1,2,3)", """{"n":4}""", false)]
    [InlineData("t=in.(a,\"b,c\",d)", """{"t":"b,c"}""", true)]
    [InlineData("t=in.(true)", """{"t":true}""", true)]
    [InlineData("j=eq.1", """{"j":{"a":1}}""", false)]
    [InlineData("j=neq.1", """{"j":[1]}""", false)]
    [InlineData("t=eq.", """{"t":""}""", true)]
    [InlineData("t=eq.a=b.c", """{"t":"a=b.c"}""", true)]
    [InlineData("t=eq.\"say \\\"\\\\\\\" & (go)\"", """{"t":"say \"\\\" & (go)"}""", true)]
    [InlineData("\"odd=name\"=eq.1", """{"odd=name":1}""", true)]
    [InlineData("a=eq.1&b=eq.2", """{"a":1,"b":2}""", true)]
    [InlineData("a=eq.1&b=eq.2", """{"a":1,"b":3}""", false)]
    [InlineData("a=gte.1&a=lt.5", """{"a":5}""", false)]
    [InlineData("a=eq.1", "[1]", false)]
    [InlineData("a=eq.1", "null", false)]
    public void A_condition_holds_of_a_value_of_its_type(string filter, string data, bool holds)
    {
        Assert.Equal(holds, Matches(filter, data));
    }

    [Theory]
    [InlineData("room=eq.7", """{"record":{"id":1,"room":7},"oldRecord":null}""", true)]
    [InlineData("room=eq.7", """{"record":{"id":1,"room":8},"oldRecord":null}""", false)]
    // An update that makes a row one of his, or takes it away from him.
    [InlineData("room=eq.7", """{"record":{"id":1,"room":7},"oldRecord":{"id":1,"room":8}}""", true)]
    [InlineData("room=eq.7", """{"record":{"id":1,"room":8},"oldRecord":{"id":1,"room":7}}""", true)]
    [InlineData("room=eq.7", """{"record":{"id":1,"room":8},"oldRecord":{"id":1,"room":9}}""", false)]
    // The old row has its key alone: nobody knows what else it was.
    [InlineData("room=eq.7", """{"record":{"id":1,"room":8},"oldRecord":{"id":1}}""", false)]
    [InlineData("room=eq.7", """{"record":null,"oldRecord":{"id":1}}""", true)]
    [InlineData("room=eq.7&id=eq.2", """{"record":null,"oldRecord":{"id":1}}""", false)]
    [InlineData("room=eq.7", """{"record":null,"oldRecord":{"id":1,"room":8}}""", false)]
    // Of no row in particular.
    [InlineData("room=eq.7", """{"record":null,"oldRecord":null}""", true)]
    [InlineData("room=eq.7", """{"schema":"public","table":"t","commitTime":"2026-01-02T03:04:05Z"}""", true)]
    // A row that is too large for a message.
    [InlineData("text=eq.a", """{"record":{"id":1},"truncated":["text"]}""", true)]
    [InlineData("id=eq.2", """{"record":{"id":1},"truncated":["text"]}""", false)]
    [InlineData("id=eq.2", """{"record":{},"truncated":true}""", true)]
    [InlineData("text=eq.a", """{"record":{"id":1},"oldRecord":{"id":1,"text":"b"},"truncated":["text"]}""", true)]
    // A large column that has not changed is not sent.
    [InlineData("text=eq.a", """{"record":{"id":1},"oldRecord":null,"unchanged":["text"]}""", true)]
    [InlineData("text=eq.a&id=eq.2", """{"record":{"id":1},"oldRecord":null,"unchanged":["text"]}""", false)]
    [InlineData("text=eq.a", """{"record":{"id":1},"oldRecord":{"text":"b"},"unchanged":["text"]}""", false)]
    [InlineData("text=eq.a", """{"record":{"id":1},"oldRecord":{"text":"a"},"unchanged":["text"]}""", true)]
    [InlineData("other=eq.a", """{"record":{"id":1},"oldRecord":null,"unchanged":["text"]}""", false)]
    public void A_change_of_a_table_comes_to_whom_its_row_belongs_or_belonged(string filter, string data, bool comes) =>
        Assert.Equal(comes, Matches(filter, data));

    [Theory]
    [InlineData("")]
    [InlineData("room")]
    [InlineData("room=7")]
    [InlineData("room=like.7")]
    [InlineData("=eq.7")]
    [InlineData("room=eq")]
    [InlineData("room=eq.7&")]
    [InlineData("room=eq.Tom & Jerry")]
    [InlineData("room=eq.\"open")]
    [InlineData("room=eq.\"open\\\"")]
    [InlineData("room=eq.\"a\"b")]
    [InlineData("room=in.7")]
    [InlineData("room=in.(1,2")]
    [InlineData("room=in.(1))")]
    [InlineData("room=is.7")]
    [InlineData("room=eq.a\nb")]
    [InlineData("room?=eq.7&a?b")]
    public void What_is_no_filter_is_refused_with_a_sentence(string filter)
    {
        var refusal = Assert.Throws<CollabException>(() => ChannelFilter.Parse(filter));
        Assert.Equal(ErrorCodes.InvalidArgument, refusal.Code);
        Assert.StartsWith("filter: ", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_filter_has_limits()
    {
        Assert.NotNull(ChannelFilter.Parse(Conditions(ChannelFilter.MaxConditions)));
        Assert.Throws<CollabException>(() => ChannelFilter.Parse(Conditions(ChannelFilter.MaxConditions + 1)));
        Assert.NotNull(ChannelFilter.Parse(Values(FilterCondition.MaxValues)));
        Assert.Throws<CollabException>(() => ChannelFilter.Parse(Values(FilterCondition.MaxValues + 1)));
        Assert.Throws<CollabException>(() => ChannelFilter.Parse("a=eq." + new string('x', ChannelFilter.MaxLength)));

        static string Conditions(int count) => string.Join('&', Enumerable.Range(0, count).Select(i => $"c{i}=eq.{i}"));
        static string Values(int count) => $"n=in.({string.Join(',', Enumerable.Range(0, count))})";
    }

    private static bool Matches(string filter, string data) => ChannelFilter.Parse(filter).Matches(new MessageRow(JsonElement.Parse(data)));
}
