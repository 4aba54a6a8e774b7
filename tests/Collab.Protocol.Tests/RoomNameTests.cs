using Xunit;

namespace Collab.Protocol.Tests;

/// <summary>The rule for document ids and channel names.</summary>
public sealed class RoomNameTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("acme/plans/2026")]
    [InlineData("user@example.com:~draft_1.md-2")]
    public void A_name_has_segments_of_safe_characters(string name) => Assert.True(RoomName.IsValid(name));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("a b")]
    [InlineData("a\nb")]
    [InlineData("a%2Fb")]
    [InlineData("é")]
    public void Anything_else_is_no_name(string? name) => Assert.False(RoomName.IsValid(name));

    [Fact]
    public void A_name_has_at_most_200_characters()
    {
        Assert.True(RoomName.IsValid(new string('a', 200)));
        Assert.False(RoomName.IsValid(new string('a', 201)));
    }
}
