using Xunit;

namespace Collab.Protocol.Tests;

/// <summary>The rule for what publishers name.</summary>
public sealed class EventNameTests
{
    [Theory]
    [InlineData("message")]
    [InlineData("order.created v2")]
    [InlineData("größer")]
    [InlineData("\ud83d\ude00")]
    public void Names_are_free_text_on_one_line(string name) => Assert.True(EventName.IsValid(name));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("a\nb")]
    [InlineData("a\rb")]
    [InlineData("a\0b")]
    [InlineData("a\u0085b")]
    [InlineData("a\u2028b")]
    public void What_would_break_a_line_or_is_no_text_is_refused(string? name) => Assert.False(EventName.IsValid(name));

    [Fact]
    public void Half_a_surrogate_pair_is_refused()
    {
        Assert.False(EventName.IsValid("a\ud83d"));
        Assert.False(EventName.IsValid("\ude00\ud83d"));
    }

    [Fact]
    public void A_name_has_at_most_128_characters()
    {
        Assert.True(EventName.IsValid(new string('a', 128)));
        Assert.False(EventName.IsValid(new string('a', 129)));
    }
}
