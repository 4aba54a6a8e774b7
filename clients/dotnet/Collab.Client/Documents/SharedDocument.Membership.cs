using Collab.Crdt;
using Collab.Protocol;

namespace Collab.Client;

// Being in the document: joining, what goes out and what comes in.
public sealed partial class SharedDocument
{
    // How long to wait for another thread that is at work in the document.
    private static readonly TimeSpan InUse = TimeSpan.FromMilliseconds(1);

    // Of how many refusals in a row what was refused is taken back.
    private const int MaxRefusals = 2;

    // What is not known to be durable, in its order; null for what cannot be taken back.
    private readonly Queue<StackItem?> _unacknowledged = new();

    private Membership? _membership;
    private int _refusals;

    private async Task JoinAsync()
    {
        End();
        var membership = new Membership(this);
        _membership = membership;
        SetStatus(CollabStatus.Connecting);
        var backoff = Backoff.OfCalls();
        while (!membership.IsOver)
        {
            try
            {
                var vector = await WhenFreeAsync(doc => doc.StateVectorV1());
                var joined = await _connection.JoinAsync(Id, () => vector);
                if (!membership.IsOver)
                    await JoinedAsync(membership, joined);
                return;
            }
            catch (CollabException exception)
            {
                // The connection ends, and the next one begins again.
                if (membership.IsOver || exception.Code == ClientErrorCodes.Disconnected)
                    return;
                Fail(exception);
                if (!exception.IsTransient)
                {
                    ClosedByServer(exception.Code);
                    return;
                }
            }
            await backoff.WaitAsync(membership.Ending);
        }
    }

    private async Task JoinedAsync(Membership membership, JoinedDocument joined)
    {
        SetAccess(joined.Access);
        await ApplyAsync(joined.Update);
        if (membership.IsOver)
            return;
        membership.Queue = new PushQueue(
            update => _connection.CallAsync<string>("PushUpdate", Id, update),
            Acknowledged,
            Fail,
            TakeBackAsync,
            membership.Ending);
        await PushMissingAsync(membership, joined.Update, joined.StateVector);
        membership.Relay.Apply(joined.Awareness);
        membership.Relay.Announce();
        SetStatus(CollabStatus.Connected);
        SetSynced(true);
    }

    // Joins again in place: the answer says what we may do by now.
    private async Task AskAccessAsync()
    {
        if (_membership is not { Queue: { } queue } membership)
            return;
        try
        {
            var vector = await WhenFreeAsync(doc => doc.StateVectorV1());
            var joined = await _connection.JoinAsync(Id, () => vector);
            if (membership.IsOver)
                return;
            SetAccess(joined.Access);
            await ApplyAsync(joined.Update);
            if (queue.IsIdle)
                await PushMissingAsync(membership, joined.Update, joined.StateVector);
        }
        catch (CollabException exception)
        {
            // What is forbidden now, the server says by itself.
            if (!membership.IsOver && exception.Code != ErrorCodes.Forbidden)
                Fail(exception);
        }
    }

    // Sends what the server lacks: with it everything not yet acknowledged is on its way. A state vector counts insertions only, so a diff
    // carries all deletions, known or not; therefore they are compared with those in the server's own answer.
    private async Task PushMissingAsync(Membership membership, byte[] serverUpdate, byte[] serverStateVector)
    {
        var missing = await WhenFreeAsync(doc => doc.StateDiffV1(serverStateVector));
        if (membership.IsOver)
            return;
        if (Updates.CoversV1(serverUpdate, missing))
        {
            Acknowledged(Math.Max(Unacknowledged, _unacknowledged.Count));
            return;
        }
        if (Unacknowledged == 0)
            SetUnacknowledged(1);
        if (Access == DocumentAccess.Write)
            membership.Queue!.Add(missing, Unacknowledged);
    }

    // Called by whoever changes the document, on his thread.
    private void OnUpdate(UpdateEvent change)
    {
        try
        {
            _localCopy?.Append(change.Update);
        }
        catch (IOException exception)
        {
            ClientLog.LocalCopyFailed(_connection.Logger, exception);
        }
        if (ReferenceEquals(change.Origin, this))
            return;
        var update = change.Update;
        // The step that has just come onto the stack, if this is one: what others' updates bring, and taking back, are none.
        var step = change.Transaction.Local && !ReferenceEquals(change.Origin, _steps) && _steps.UndoStack.Count > 0 ? _steps.UndoStack[^1] : null;
        Context.Post(() =>
        {
            _unacknowledged.Enqueue(step);
            SetUnacknowledged(Unacknowledged + 1);
            // Before the join is answered nothing needs queueing: what the server lacks is sent then.
            if (Access == DocumentAccess.Write)
                _membership?.Queue?.Add(update, 1);
        });
    }

    private void Acknowledged(int count)
    {
        _refusals = 0;
        List<StackItem> done = [];
        for (var i = 0; i < count && _unacknowledged.TryDequeue(out var step); i++)
        {
            if (step is not null)
                done.Add(step);
        }
        SetUnacknowledged(Math.Max(0, Unacknowledged - count));
        _ = WhenFreeAsync(_ =>
        {
            foreach (var step in done)
                _steps.Forget(step);
            return true;
        });
    }

    // A rule refuses so many changes: they are undone, at the second time all that is not acknowledged.
    private async Task<bool> TakeBackAsync(int count, CollabException refusal)
    {
        StackItem[] steps = [.. (_refusals++ == 0 ? _unacknowledged.Take(count) : _unacknowledged).OfType<StackItem>().Reverse()];
        if (_refusals > MaxRefusals || steps.Length == 0)
            return false;
        var isUndone = await WhenFreeAsync(_ =>
        {
            var any = false;
            foreach (var step in steps)
                any |= _steps.Undo(step);
            return any;
        });
        if (_refusals == 1)
            Tell(() => Rejected?.Invoke(this, refusal));
        return isUndone;
    }

    private Task<bool> ApplyAsync(byte[] update) => WhenFreeAsync(doc =>
    {
        try
        {
            doc.ApplyV1(update, this);
        }
        catch (AggregateException exception)
        {
            // The document is whole; what its observers throw is theirs.
            Tell(() => throw exception);
        }
        catch (InvalidUpdateException exception)
        {
            Fail(new CollabException(ErrorCodes.InvalidUpdate, "The server sent something that is no update.", exception));
        }
        return true;
    });

    // Another thread can be at work in the document, though it should not be.
    private async Task<T> WhenFreeAsync<T>(Func<Doc, T> work)
    {
        while (true)
        {
            try
            {
                return work(Doc);
            }
            catch (InvalidOperationException) when (!Doc.IsDestroyed)
            {
                await Task.Delay(InUse);
            }
        }
    }

    // Ends the membership on this side.
    private void End()
    {
        _membership?.Dispose();
        _membership = null;
        SetSynced(false);
    }

    /// <summary>One time of being in the document, from the connection's start to its end or to leaving.</summary>
    private sealed class Membership : IDisposable
    {
        private readonly CancellationTokenSource _ending = new();

        public Membership(SharedDocument document)
        {
            Ending = _ending.Token;
            Relay = new AwarenessRelay(
                document.Awareness,
                document.Context,
                state => document._connection.CallAsync<object>("PushAwareness", document.Id, state),
                Ending);
        }

        public AwarenessRelay Relay { get; }

        /// <summary>Takes the local updates, from the answer to the join on.</summary>
        public PushQueue? Queue { get; set; }

        public CancellationToken Ending { get; }

        public bool IsOver => Ending.IsCancellationRequested;

        public void Dispose()
        {
            _ending.Cancel();
            Relay.Dispose();
            _ending.Dispose();
        }
    }
}
