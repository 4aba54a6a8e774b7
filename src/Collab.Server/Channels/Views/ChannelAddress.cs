using Collab.Protocol;
using Collab.Server.Rooms;

namespace Collab.Server.Channels.Views;

/// <summary>
/// What a reader names: a channel, or a channel with a filter, as in <c>db:public.messages?room_id=eq.7</c>. No name of a channel has a question
/// mark, so both stand in one text, by which a connection tells its subscriptions apart.
/// </summary>
/// <param name="Text">The whole, as it was given.</param>
/// <param name="Channel">The name of the channel.</param>
/// <param name="Filter">Which of its messages; null for all.</param>
internal sealed record ChannelAddress(string Text, string Channel, ChannelFilter? Filter)
{
    /// <summary>What a connection's subscription is known by; of a channel without a filter it is the key of its room.</summary>
    public RoomKey Key { get; } = new(RoomKind.Channel, Text);

    /// <exception cref="CollabException"><c>invalid_name</c>, or <c>invalid_argument</c> for the filter.</exception>
    public static ChannelAddress Parse(string? text)
    {
        // Whoever calls the hub may leave it out, whatever its type says.
        text ??= "";
        var end = text.IndexOf('?', StringComparison.Ordinal);
        var channel = end < 0 ? text : text[..end];
        if (!RoomName.IsValid(channel))
            throw new CollabException(ErrorCodes.InvalidName, "a channel name is 1 to 200 characters of A-Z a-z 0-9 . _ ~ : @ - / with no empty segment");
        return new ChannelAddress(text, channel, end < 0 ? null : ChannelFilter.Parse(text[(end + 1)..]));
    }

    /// <summary>The address of a channel with filters that all hold.</summary>
    public static string Of(string channel, IReadOnlyCollection<string?> filters) =>
        filters.Count == 0 ? channel : $"{channel}{(channel.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{string.Join('&', filters)}";
}
