using Collab.Protocol;

namespace Collab.Client;

/// <summary>What the server sends of its own accord: one of these.</summary>
/// <param name="Message">A message.</param>
/// <param name="Change">Who came and went.</param>
/// <param name="Position">Everything up to this position that the subscription gets has come.</param>
internal readonly record struct ChannelNews(ChannelMessage? Message = null, MembersChanged? Change = null, string? Position = null);

/// <summary>A channel over one connection, from its start to its end: what the server knows of us.</summary>
#pragma warning disable CA1001 // Its source of cancellation has no timer and no handle, so there is nothing to dispose.
internal sealed class ChannelSession
#pragma warning restore CA1001
{
    private readonly CancellationTokenSource _ending = new();

    public ChannelSession() => Ending = _ending.Token;

    /// <summary>Cancelled when the connection has ended.</summary>
    public CancellationToken Ending { get; }

    public bool IsOver => Ending.IsCancellationRequested;

    /// <summary>Whether the server knows that we are subscribed.</summary>
    public bool IsSubscribed { get; set; }

    /// <summary>What the server shows of us, as JSON; null when nothing.</summary>
    public string? Presence { get; set; }

    /// <summary>What arrives before the answer to <c>Subscribe</c> has been dealt with.</summary>
    public List<ChannelNews>? Held { get; set; }

    /// <summary>Whether somebody is bringing the server's state in line with what is wanted.</summary>
    public bool IsBusy { get; set; }

    public void End() => _ending.Cancel();
}
