using Xunit;

namespace Collab.Protocol.Tests;

/// <summary>The wire form of positions.</summary>
public sealed class PositionTests
{
    [Theory]
    [InlineData("9f3c-42", "9f3c", 42)]
    [InlineData("0-0", "0", 0)]
    [InlineData("a-9223372036854775807", "a", long.MaxValue)]
    public void A_position_reads_back_as_it_was_written(string text, string epoch, long offset)
    {
        Assert.True(Position.TryParse(text, out var position));
        Assert.Equal(new Position(epoch, offset), position);
        Assert.Equal(text, position.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("42")]
    [InlineData("-42")]
    [InlineData("9f3c-")]
    [InlineData("9f3c--1")]
    [InlineData("9f3c-+1")]
    [InlineData("9f3c- 1")]
    [InlineData("9F3C-1")]
    [InlineData("xyz-1")]
    [InlineData("9f3c-9223372036854775808")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-1")]
    public void Anything_else_is_not_a_position(string? text) => Assert.False(Position.TryParse(text, out _));

    [Fact]
    public void Positions_of_two_epochs_are_not_of_one_log() =>
        Assert.False(new Position("a", 1).IsSameLogAs(new Position("b", 1)));
}
