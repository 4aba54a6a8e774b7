using Collab.Crdt;

namespace Collab.Client;

/// <summary>
/// Keeps an awareness in step with the others' during one membership: pushes the own state, latest wins and at most one push on its way,
/// and applies what the others send. Renewal, and dropping those who have been silent, is the awareness' own work.
/// </summary>
internal sealed class AwarenessRelay : IDisposable
{
    // Carets move smoothly enough at 30 a second.
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(33);

    private readonly Awareness _awareness;
    private readonly Func<byte[], Task> _push;
    private readonly CancellationToken _ending;
    private readonly IDisposable _observation;
    private bool _isJoined, _hasChanged, _isBusy;

    /// <param name="context">Where to push from: awareness changes on any thread.</param>
    /// <param name="push">Sends an awareness update.</param>
    /// <param name="ending">Cancelled when the membership ends.</param>
    public AwarenessRelay(Awareness awareness, CallbackContext context, Func<byte[], Task> push, CancellationToken ending)
    {
        (_awareness, _push, _ending) = (awareness, push, ending);
        // Only the own state: everyone speaks for himself. That includes the answer to somebody who removed it.
        _observation = awareness.ObserveUpdate(change =>
        {
            if (change.Clients.Contains(awareness.ClientId))
                context.Post(Changed);
        });
    }

    /// <summary>
    /// The document is joined: tells the others of the own state anew, with a clock that is ahead of the one under which the server may have
    /// removed it: a server removes with the next clock, so the clock goes up by two.
    /// </summary>
    public void Announce()
    {
        _isJoined = true;
        if (_awareness.LocalState is not { } state)
            return;
        for (var i = 0; i < 2; i++)
            _awareness.LocalState = state;
    }

    /// <summary>Applies the others' states, also those that arrive before the answer to the join.</summary>
    public void Apply(byte[] update) => _awareness.ApplyUpdate(update, this);

    /// <summary>Ends it; the others' states are forgotten.</summary>
    public void Dispose()
    {
        _observation.Dispose();
        _awareness.ForgetOthers(this);
    }

    private void Changed()
    {
        _hasChanged = true;
        if (_isJoined && !_isBusy && !_ending.IsCancellationRequested)
            _ = SendAsync();
    }

    private async Task SendAsync()
    {
        _isBusy = true;
        while (_hasChanged && !_ending.IsCancellationRequested)
        {
            _hasChanged = false;
            try
            {
                await _push(_awareness.EncodeUpdate([_awareness.ClientId]));
            }
            catch (CollabException)
            {
                // A lost state is harmless: the next change or renewal carries all of it.
            }
            await Backoff.PauseAsync(Interval, _ending);
        }
        _isBusy = false;
    }
}
