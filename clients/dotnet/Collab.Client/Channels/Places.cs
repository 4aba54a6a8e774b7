using Collab.Protocol;

namespace Collab.Client;

/// <summary>What a reader may know of positions: those of one epoch are dense, save that a message may stand for others before it.</summary>
internal static class Places
{
    /// <summary>The position that a message follows: that of the one before it, and before those that it stands for.</summary>
    public static string Before(ChannelMessage message) => Position.TryParse(message.Position, out var position)
        ? (position with { Offset = position.Offset - 1 - (message.Skipped ?? 0) }).ToString()
        : message.Position;

    /// <summary>Whether both are of one log and <paramref name="position"/> is not behind <paramref name="other"/>.</summary>
    public static bool Reaches(string position, string other) =>
        Position.TryParse(position, out var one) && Position.TryParse(other, out var two) && one.IsSameLogAs(two) && one.Offset >= two.Offset;
}
