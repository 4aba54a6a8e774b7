using Collab.Protocol;

namespace Collab.Client;

/// <summary>
/// One subscription's way through a channel: hands out each message once and in order, and says when some are missing. It does not
/// matter how often, or how far from the beginning, messages are put into it.
/// </summary>
/// <param name="handler">What messages are handed to.</param>
/// <param name="tell">Calls handlers, whatever they throw.</param>
internal sealed class ChannelReader(Action<ChannelMessage> handler, ChannelSubscribeOptions options, Action<Action> tell)
{
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // What arrives while the history before it is being read; null otherwise.
    private List<ChannelNews>? _held;
    private bool _isOver;

    public ChannelSubscribeOptions Options { get; } = options;

    public Task Ready => _ready.Task;

    public string? Position { get; private set; }

    /// <summary>Whether it stands somewhere in the channel.</summary>
    public bool HasBegun => Position is not null;

    /// <summary>Whether it waits for the history before what it holds.</summary>
    public bool IsBehind => _held is not null;

    /// <summary>From now on what arrives is held, until <see cref="Release"/>.</summary>
    public void Hold() => _held ??= [];

    /// <summary>The history has been handed out: what was held follows.</summary>
    public void Release()
    {
        var held = _held ?? [];
        _held = null;
        foreach (var news in held)
        {
            if (news.Message is { } message)
                Read(message);
            else
                Reach(news.Position!);
        }
        _ready.TrySetResult();
    }

    /// <summary>The server has said what comes next.</summary>
    /// <param name="from">The position that it follows.</param>
    /// <param name="through">How far it is known to go.</param>
    /// <param name="recovered">False when something between the asked position and <paramref name="from"/> is lost.</param>
    public void Follows(string from, string through, bool recovered)
    {
        var known = Position ?? Options.After;
        if (recovered)
            Position ??= from;
        else if (Position is null || !Places.Reaches(Position, from) || !Places.Reaches(through, Position))
            Lose(new ChannelGap(known, from));
    }

    /// <summary>The subscription stands.</summary>
    public void Begun()
    {
        if (!IsBehind)
            _ready.TrySetResult();
    }

    /// <summary>A message has arrived, live or from the history.</summary>
    public void Take(ChannelMessage message)
    {
        if (_held is not null)
            _held.Add(new ChannelNews(message));
        else
            Read(message);
    }

    /// <summary>What arrives live has brought it to this position: what else there was is not for it.</summary>
    public void Advance(string position)
    {
        if (_held is not null)
            _held.Add(new ChannelNews(Position: position));
        else
            Reach(position);
    }

    /// <summary>There is nothing else for it up to this position.</summary>
    public void Reach(string position)
    {
        if (Position is { } known && Places.Reaches(position, known))
            Position = position;
    }

    /// <summary>Hands a message out, unless it is one that was handed out before.</summary>
    public void Read(ChannelMessage message)
    {
        if (_isOver || (Position is { } last && Places.Reaches(last, message.Position)))
            return;
        var before = Places.Before(message);
        if (Position is { } known && !Places.Reaches(known, before))
            Lose(new ChannelGap(known, before));
        Position = message.Position;
        Tell(() => handler(message));
    }

    public void Changed(IReadOnlyList<ChannelMember> members, MembersChanged change) => Tell(() => Options.OnMembers?.Invoke(members, change));

    /// <summary>Nothing is handed out any more.</summary>
    public void End(CollabException error, bool isRefused)
    {
        if (_isOver)
            return;
        if (isRefused)
            Tell(() => Options.OnClosed?.Invoke(error));
        _isOver = true;
        if (_ready.TrySetException(error))
            // Who does not ask is not to be bothered: OnClosed says it too.
            _ = _ready.Task.Exception;
    }

    private void Lose(ChannelGap gap)
    {
        Position = gap.Position;
        Tell(() => Options.OnGap?.Invoke(gap));
    }

    private void Tell(Action call)
    {
        if (!_isOver)
            tell(call);
    }
}
