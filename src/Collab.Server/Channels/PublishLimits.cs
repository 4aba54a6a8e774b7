using Collab.Server.Limits;
using Microsoft.Extensions.Options;

namespace Collab.Server.Channels;

/// <summary>How much callers may publish: each of them, and all together in a namespace.</summary>
internal sealed class PublishLimits(IOptions<ChannelOptions> options) : IDisposable
{
    private const string Messages = "messages";

    private readonly CallRate<string> _callers = new(
        _ => (options.Value.PublishesPerSecond, options.Value.PublishBurst), "you publish too much", Messages);

    private readonly CallRate<ChannelNamespace> _namespaces = new(
        space => (space.PublishesPerSecond, space.PublishesPerSecond), "all together publish too much", Messages);

    /// <summary>Counts messages.</summary>
    /// <inheritdoc cref="CallRate{TCaller}.Count"/>
    public void Count(Caller caller, ChannelNamespace space, int messages)
    {
        _callers.Count(caller.ConnectionId, messages);
        _namespaces.Count(space, messages);
    }

    public void Dispose()
    {
        _callers.Dispose();
        _namespaces.Dispose();
    }
}
