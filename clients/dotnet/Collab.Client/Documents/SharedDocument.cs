using System.ComponentModel;
using Collab.Crdt;
using Collab.Protocol;

namespace Collab.Client;

/// <summary>
/// A document that is kept in step with the one of the same id on a server, together with the awareness of who has it open.
/// <see cref="CollabConnection.OpenDocument"/> makes it.
/// </summary>
/// <remarks>
/// Local changes are sent as they happen, merged while a push is on its way. A change counts as unacknowledged until the server has said
/// that it is durable. After a lost connection both sides exchange what the other lacks, so nothing depends on what was on its way.
/// <para>
/// Remote changes are applied where the connection's handlers are called. From that thread (a window's) use <see cref="Doc"/> as it is;
/// from any other use <see cref="Edit(Action{Doc})"/> and <see cref="Read{T}"/>. Two threads in the document at once are refused with an
/// <see cref="InvalidOperationException"/>; they never harm it.
/// </para>
/// </remarks>
public sealed partial class SharedDocument : IAsyncDisposable, INotifyPropertyChanged
{
    private readonly CollabConnection _connection;
    private readonly LocalCopy? _localCopy;
    private readonly bool _ownsAwareness;
    // What is not acknowledged, so that it can be taken back if a rule refuses it.
    private readonly UndoManager _steps;
    private readonly IDisposable[] _observations;
    private bool _isWanted, _isDisposed;

    internal SharedDocument(CollabConnection connection, string id, SharedDocumentOptions options)
    {
        _connection = connection;
        Id = id;
        Doc = options.Doc ?? options.Awareness switch { null => new Doc(), _ => throw new ArgumentException("An awareness is of a document: give that, too.", nameof(options)) };
        _ownsAwareness = options.Awareness is null;
        Awareness = options.Awareness ?? new Awareness(Doc);
        _isWanted = options.Connect;
        if (options.LocalFolder is { } folder)
        {
            _localCopy = LocalCopy.Open(folder, connection.Url, id, out var content);
            if (content is not null)
                Doc.ApplyV1(content, _localCopy);
            // What the document holds already is to be in the copy, too.
            else if (options.Doc is not null)
                _localCopy.Append(Doc.StateDiffV1());
        }
        _steps = UndoManager.OfAll(Doc, new UndoOptions { CaptureTimeout = TimeSpan.Zero });
        _observations =
        [
            _steps,
            Doc.ObserveUpdatesV1(OnUpdate),
            Doc.ObserveDestroy(_ => DisposeAsync().AsTask()),
            Awareness.ObserveChange(change => Context.Post(() => Tell(() => AwarenessChanged?.Invoke(this, change)))),
        ];
    }

    /// <inheritdoc/>
    public event PropertyChangedEventHandler? PropertyChanged;

    /// <summary><see cref="Status"/> has changed.</summary>
    public event EventHandler? StatusChanged;

    /// <summary>The document is (<see cref="IsSynced"/>) or is no longer in step with the server's.</summary>
    public event EventHandler? Synced;

    /// <summary>Somebody's awareness state has come, changed or gone.</summary>
    public event EventHandler<AwarenessChange>? AwarenessChanged;

    /// <summary>The server ended the membership for good: see <see cref="DocumentCloseReasons"/>. <see cref="Connect"/> tries again.</summary>
    public event EventHandler<string>? Closed;

    /// <summary>
    /// A rule of the server refuses what was changed here, and it was taken back: nobody else has seen it. The message begins with the
    /// rule's own code.
    /// </summary>
    public event EventHandler<CollabException>? Rejected;

    /// <summary>Something was refused or failed. Transient failures are tried again.</summary>
    public event EventHandler<CollabException>? Failed;

    /// <summary>The document's id.</summary>
    public string Id { get; }

    /// <summary>The document. For which thread uses it how, see the remarks of the class.</summary>
    public Doc Doc { get; }

    /// <summary>Who has the document open, and what he shows.</summary>
    public Awareness Awareness { get; }

    /// <summary><see cref="CollabStatus.Connected"/> once the document is joined.</summary>
    public CollabStatus Status { get; private set; }

    /// <summary>Whether the document has been brought up to date since the connection was made.</summary>
    public bool IsSynced { get; private set; }

    /// <summary>What the server lets us do, one of <see cref="DocumentAccess"/>; null before the first join.</summary>
    public string? Access { get; private set; }

    /// <summary>How many local changes are not known to be durable.</summary>
    public int Unacknowledged { get; private set; }

    /// <summary>Whether the server may lack something that was changed here.</summary>
    public bool HasUnsyncedChanges => Unacknowledged > 0;

    private CallbackContext Context => _connection.Context;

    /// <summary>Changes the document in one transaction, from any thread, when nobody else is at work in it.</summary>
    /// <param name="edit">The changes; it must not wait for anything.</param>
    public void Edit(Action<Doc> edit)
    {
        ArgumentNullException.ThrowIfNull(edit);
        Context.Send(() => Doc.Transact(_ => edit(Doc)));
    }

    /// <summary>Reads the document, from any thread, when nobody else is at work in it.</summary>
    /// <typeparam name="T">What is read.</typeparam>
    /// <param name="read">Reads; it must not wait for anything.</param>
    public T Read<T>(Func<Doc, T> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        T result = default!;
        Context.Send(() => result = read(Doc));
        return result;
    }

    /// <summary>Joins the document, and joins again after each reconnect, until <see cref="Disconnect"/> or the end.</summary>
    public void Connect() => Context.Post(() =>
    {
        if (_isDisposed || _isWanted)
            return;
        _isWanted = true;
        ConnectionChanged(_connection.Status);
    });

    /// <summary>Leaves the document; changes made from now on are kept and sent after <see cref="Connect"/>.</summary>
    public void Disconnect() => Context.Post(() => _ = LeaveAsync());

    /// <summary>Exchanges with the server what either side lacks. Not needed in normal operation.</summary>
    public Task ResyncAsync() => Context.RunAsync(async () =>
    {
        if (_membership is not { Queue: { } queue } membership)
            return;
        try
        {
            var server = await _connection.CallAsync<SyncedDocument>("SyncDocument", Id, await WhenFreeAsync(doc => doc.StateVectorV1()));
            if (membership.IsOver)
                return;
            await ApplyAsync(server.Update);
            // What is queued or on its way would be found missing, too.
            if (queue.IsIdle)
                await PushMissingAsync(membership, server.Update, server.StateVector);
        }
        catch (CollabException exception)
        {
            if (!membership.IsOver)
                Fail(exception);
        }
    });

    /// <summary>Completes when the document is in step with the server's.</summary>
    public Task WhenSyncedAsync(CancellationToken cancellationToken = default) => WhenAsync(() => IsSynced, cancellationToken);

    /// <summary>Completes when everything that was changed here is durable on the server.</summary>
    public Task WhenAcknowledgedAsync(CancellationToken cancellationToken = default) =>
        WhenAsync(() => IsSynced && Unacknowledged == 0, cancellationToken);

    /// <summary>Leaves for good and takes the own awareness state away. <see cref="Doc"/> stays usable.</summary>
    public async ValueTask DisposeAsync()
    {
        await Context.RunAsync(async () =>
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            foreach (var observation in _observations)
                observation.Dispose();
            await LeaveAsync();
            Changed(nameof(Status));
            _connection.Detach(this);
            if (_ownsAwareness)
                Awareness.Dispose();
            else
                Awareness.LocalState = null;
            _localCopy?.Dispose();
        }).ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }

    internal void ConnectionChanged(CollabStatus status)
    {
        if (!_isWanted)
            return;
        switch (status)
        {
            case CollabStatus.Connected:
                _ = JoinAsync();
                break;
            case CollabStatus.Connecting:
                SetStatus(CollabStatus.Connecting);
                break;
            default:
                End();
                SetStatus(CollabStatus.Disconnected);
                break;
        }
    }

    internal void Updated(byte[] update) => _ = ApplyAsync(update);

    internal void AwarenessUpdated(byte[] awareness) => _membership?.Relay.Apply(awareness);

    internal void RightsMayHaveChanged() => _ = AskAccessAsync();

    internal void ClosedByServer(string reason)
    {
        if (reason == DocumentCloseReasons.Unavailable)
        {
            Rejoin();
            return;
        }
        End();
        _isWanted = false;
        SetStatus(CollabStatus.Disconnected);
        Tell(() => Closed?.Invoke(this, reason));
    }

    private async Task LeaveAsync()
    {
        if (!_isWanted)
            return;
        _isWanted = false;
        var left = _membership is null ? Task.CompletedTask : _connection.LeaveAsync(Id);
        End();
        SetStatus(CollabStatus.Disconnected);
        await left;
    }

    private async Task WhenAsync(Func<bool> condition, CancellationToken cancellationToken)
    {
        var met = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Context.Post(() =>
        {
            PropertyChanged += Check;
            Check(this, null);
        });
        try
        {
            await met.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            Context.Post(() => PropertyChanged -= Check);
        }

        void Check(object? sender, PropertyChangedEventArgs? _)
        {
            if (condition())
                met.TrySetResult();
            else if (_isDisposed)
                met.TrySetException(new ObjectDisposedException(nameof(SharedDocument)));
        }
    }

    private void Fail(CollabException exception)
    {
        if (exception.Code == ClientErrorCodes.Disconnected)
            return;
        if (exception.Code == ErrorCodes.Forbidden)
            SetAccess(DocumentAccess.Read);
        ClientLog.Failed(_connection.Logger, exception.Message, exception);
        Tell(() => Failed?.Invoke(this, exception));
        if (exception.Code == ErrorCodes.NotJoined)
            Rejoin();
    }

    private void Rejoin()
    {
        if (_isWanted)
            _ = JoinAsync();
    }

    private void SetAccess(string access)
    {
        if (access == Access)
            return;
        Access = access;
        Changed(nameof(Access));
    }

    private void SetStatus(CollabStatus status)
    {
        if (status == Status)
            return;
        Status = status;
        Changed();
        Tell(() => StatusChanged?.Invoke(this, EventArgs.Empty));

        void Changed() => this.Changed(nameof(Status));
    }

    private void SetSynced(bool synced)
    {
        if (synced == IsSynced)
            return;
        IsSynced = synced;
        Changed(nameof(IsSynced));
        Tell(() => Synced?.Invoke(this, EventArgs.Empty));
    }

    private void SetUnacknowledged(int count)
    {
        if (count == Unacknowledged)
            return;
        Unacknowledged = count;
        Changed(nameof(Unacknowledged));
    }

    private void Changed(string property) => Tell(() => PropertyChanged?.Invoke(this, new PropertyChangedEventArgs(property)));

    private void Tell(Action call) => Context.Tell(call);
}
