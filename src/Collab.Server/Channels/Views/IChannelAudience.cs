using System.Security.Claims;
using System.Text.Json;

namespace Collab.Server.Channels.Views;

/// <summary>
/// Narrows what readers see of the channels that a feature fills, beyond the right to subscribe: not everybody sees each message. It is asked at
/// every door. Registered as a service; of several the first that knows the channel decides.
/// </summary>
internal interface IChannelAudience
{
    /// <summary>As whom a user sees a channel.</summary>
    /// <returns>Null when this audience has nothing to say about the channel.</returns>
    /// <exception cref="CollabException"><c>forbidden</c>: he sees nothing of it, with the reason.</exception>
    /// <exception cref="Rooms.RoomLogUnavailableException">It cannot be told now.</exception>
    ValueTask<ChannelSight?> SightOfAsync(string channel, ClaimsPrincipal user, CancellationToken cancellationToken);
}

/// <summary>What some readers of a channel see of it. Those whose sights have the same key see the same, and are served together.</summary>
/// <param name="key">Tells it from the channel's other sights.</param>
internal abstract class ChannelSight(string key)
{
    public string Key => key;

    /// <summary>Looks at messages as they are seen now.</summary>
    /// <returns>For each the data that are seen: those that were handed in, others, or null when the message is not seen at all.</returns>
    /// <exception cref="Rooms.RoomLogUnavailableException">It cannot be told now: the readers wait, and get the messages later.</exception>
    public abstract ValueTask<IReadOnlyList<JsonElement?>> LookAsync(IReadOnlyList<SightedMessage> messages, CancellationToken cancellationToken);
}

/// <summary>A message that is looked at.</summary>
/// <param name="Event">Its event.</param>
/// <param name="Data">Its data.</param>
internal readonly record struct SightedMessage(string Event, JsonElement Data);
