using System.Security.Cryptography;
using Collab.Protocol;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Collab.Client;

/// <summary>
/// A connection to a Collab server, shared by any number of documents and channels. It connects and reconnects by itself until it is
/// disposed: one loop opens one session after another, so there is never a second one that delivers.
/// </summary>
/// <remarks>
/// Safe for use by several threads. Handlers are called where <see cref="CollabConnectionOptions.Callbacks"/> says, one at a time.
/// </remarks>
public sealed class CollabConnection : IAsyncDisposable
{
    // A connection that has lasted this long was not refused at once, so the backoff begins anew.
    private static readonly TimeSpan StableAfter = TimeSpan.FromSeconds(5);

    private readonly CollabConnectionOptions _options;
    private readonly Dictionary<string, SharedDocument> _documents = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Channel> _channels = new(StringComparer.Ordinal);
    // Leaving that the server has not confirmed yet: calls may overtake each other, and joining must not overtake it.
    private readonly Dictionary<string, Task> _leaving = new(StringComparer.Ordinal);
    private readonly Uri _sessionUrl;
    private readonly TokenRenewal? _renewal;
    private readonly TransportChoice _choice;
    private readonly Backoff _backoff;
    private readonly ILogger _logger;
    private HubSession? _session;
    private CancellationTokenSource _hurry = new();
    private Task _loop = Task.CompletedTask;
    private bool _isRunning, _isWanted, _isDisposed;

    /// <summary>Makes a connection to the hub at <paramref name="url"/>, and begins to connect.</summary>
    /// <param name="url">The hub's address, such as <c>https://example.com/hubs/collab</c>.</param>
    /// <param name="options">Its settings.</param>
    public CollabConnection(Uri url, CollabConnectionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(url);
        _options = options ?? new CollabConnectionOptions();
        _logger = (_options.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger<CollabConnection>();
        Url = url;
        // Names this connection through all its reconnects, so that the server at once ends what is left of the former one.
        var session = RandomNumberGenerator.GetHexString(32, lowercase: true);
        _sessionUrl = new UriBuilder(url) { Query = url.Query.Length > 1 ? $"{url.Query[1..]}&session={session}" : $"session={session}" }.Uri;
        _renewal = _options.AccessTokenFactory is null ? null : new TokenRenewal(url, session, _options);
        _choice = new TransportChoice(_options.Transport);
        _backoff = new Backoff(_options.MinimumBackoff, _options.MaximumBackoff);
        Context = new CallbackContext(
            _options.Callbacks ?? SynchronizationContext.Current, exception => ClientLog.HandlerFailed(_logger, exception));
        Listener = new ConnectionListener(this);
        if (_options.Connect)
            Connect();
    }

    /// <summary>The state has changed.</summary>
    public event EventHandler? StatusChanged;

    /// <summary>
    /// An attempt failed (<c>unreachable</c>, <c>unauthorized</c>), the connection was lost (<c>disconnected</c>), or a fresh token was
    /// refused (<c>unauthorized</c>), which ends the connection when the present one expires. The next attempt follows by itself.
    /// </summary>
    public event EventHandler<CollabException>? Failed;

    /// <summary>The hub's address.</summary>
    public Uri Url { get; }

    /// <summary>Whether there is a connection.</summary>
    public CollabStatus Status { get; private set; }

    /// <summary>The transport in use; null while there is no connection.</summary>
    public Transport? Transport => _session?.Transport;

    /// <summary>Whether the connection in use speaks JSON, else MessagePack.</summary>
    public bool IsJson => _session?.IsJson ?? false;

    internal CallbackContext Context { get; }

    internal ILogger Logger => _logger;

    private IHubListener Listener { get; }

    /// <summary>Connects, and stays connected until <see cref="DisconnectAsync"/> or the end.</summary>
    public void Connect() => Context.Post(() =>
    {
        if (_isDisposed)
            return;
        _isWanted = true;
        if (!_isRunning)
            _loop = RunAsync();
    });

    /// <summary>Ends the connection; <see cref="Connect"/> begins again. Documents and channels stay open and lose nothing.</summary>
    public Task DisconnectAsync() => Context.RunAsync(StopAsync);

    /// <summary>Ends the current connection, if there is one, and opens a new one without delay.</summary>
    public void Reconnect() => Context.Post(() =>
    {
        _backoff.Reset();
        _hurry.Cancel();
        _ = _session?.DisposeAsync().AsTask();
    });

    /// <summary>Opens a document: it is joined, and joined again after each reconnect, until it is disposed.</summary>
    /// <param name="documentId">1 to 200 characters of <c>A-Z a-z 0-9 . _ ~ : @ - /</c>, with no empty segment between slashes.</param>
    /// <param name="options">Its settings.</param>
    /// <exception cref="CollabException"><c>already_open</c> on this connection, or its local file in another program.</exception>
    public SharedDocument OpenDocument(string documentId, SharedDocumentOptions? options = null)
    {
        if (!RoomName.IsValid(documentId))
            throw new CollabException(ErrorCodes.InvalidName, $"\"{documentId}\" is not a document's name.");
        SharedDocument? document = null;
        Context.Send(() =>
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_documents.ContainsKey(documentId))
                throw new CollabException(ClientErrorCodes.AlreadyOpen, $"Document \"{documentId}\" is already open on this connection: share it, or dispose it first.");
            document = new SharedDocument(this, documentId, options ?? new SharedDocumentOptions());
            _documents.Add(documentId, document);
            document.ConnectionChanged(Status);
        });
        return document!;
    }

    /// <summary>The channel of that name, the same object each time. Nothing is sent before it is used.</summary>
    /// <param name="name">
    /// 1 to 200 characters of <c>A-Z a-z 0-9 . _ ~ : @ - /</c>, with no empty segment between slashes. A question mark and a filter may follow, as
    /// in <c>db:public.messages?room_id=eq.7</c>: the channel is for reading then, and has only what satisfies the filter.
    /// </param>
    public Channel Channel(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!RoomName.IsValid(name.Split('?')[0]))
            throw new CollabException(ErrorCodes.InvalidName, $"\"{name}\" is not a channel's name.");
        Channel? channel = null;
        Context.Send(() =>
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_channels.TryGetValue(name, out channel))
                return;
            _channels.Add(name, channel = new Channel(this, name, _options.PublishQueue));
            if (_session is not null)
                channel.Connected();
        });
        return channel!;
    }

    /// <summary>Ends the connection for good. Documents that are open on it are closed too, and subscriptions to channels end.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var document in await Context.RunAsync(() => Task.FromResult<SharedDocument[]>([.. _documents.Values])).ConfigureAwait(false))
            await document.DisposeAsync().ConfigureAwait(false);
        await Context.RunAsync(async () =>
        {
            _isDisposed = true;
            foreach (var channel in _channels.Values)
                channel.End();
            await StopAsync();
        }).ConfigureAwait(false);
    }

    /// <summary>Calls a method of the hub.</summary>
    /// <exception cref="CollabException">The server's; <c>disconnected</c> when there is no connection, or it ends before the answer.</exception>
    internal Task<T> CallAsync<T>(string method, params object?[] arguments) => _session is { } session
        ? session.CallAsync<T>(method, arguments)
        : Task.FromException<T>(new CollabException(ClientErrorCodes.Disconnected, $"{method}: there is no connection."));

    /// <summary>Joins a document, after leaving it has been confirmed.</summary>
    internal async Task<JoinedDocument> JoinAsync(string documentId, Func<byte[]> stateVector)
    {
        if (_leaving.TryGetValue(documentId, out var left))
            await left;
        return await CallAsync<JoinedDocument>("JoinDocument", documentId, stateVector());
    }

    /// <summary>Leaves a document, if it is joined.</summary>
    internal Task LeaveAsync(string documentId)
    {
        if (_session is null)
            return Task.CompletedTask;
        return _leaving[documentId] = LeaveOverAsync(documentId);
    }

    /// <summary>The document is no longer open.</summary>
    internal void Detach(SharedDocument document)
    {
        if (_documents.TryGetValue(document.Id, out var open) && open == document)
            _documents.Remove(document.Id);
    }

    internal SharedDocument? FindDocument(string documentId) => _documents.GetValueOrDefault(documentId);

    internal Channel? FindChannel(string name) => _channels.GetValueOrDefault(name);

    private async Task LeaveOverAsync(string documentId)
    {
        try
        {
            await CallAsync<object>("LeaveDocument", documentId);
        }
        catch (CollabException)
        {
            // Without the connection there is no membership either.
        }
    }

    private async Task StopAsync()
    {
        _isWanted = false;
        await _hurry.CancelAsync();
        if (_session is { } session)
            await session.DisposeAsync();
        await _loop;
    }

    private async Task RunAsync()
    {
        _isRunning = true;
        while (_isWanted)
        {
            _hurry.Dispose();
            _hurry = new CancellationTokenSource();
            SetStatus(CollabStatus.Connecting);
            var session = await OpenAsync(_hurry.Token);
            if (session is not null && _isWanted)
                await LiveAsync(session);
            _leaving.Clear();
            SetStatus(CollabStatus.Disconnected);
            if (session is not null)
                await session.DisposeAsync();
            if (_isWanted)
                await _backoff.WaitAsync(_hurry.Token);
        }
        _isRunning = false;
    }

    // One attempt: the transports in turn.
    private async Task<HubSession?> OpenAsync(CancellationToken hurry)
    {
        foreach (var transport in _choice.Candidates())
        {
            try
            {
                var session = await HubSession.OpenAsync(_sessionUrl, transport, _options, Listener, hurry);
                _choice.Succeeded(transport);
                if (!hurry.IsCancellationRequested)
                    return session;
                await session.DisposeAsync();
            }
            catch (CollabException exception)
            {
                if (!hurry.IsCancellationRequested)
                    Fail(exception);
            }
            if (hurry.IsCancellationRequested)
                return null;
        }
        _choice.Failed();
        return null;
    }

    private async Task LiveAsync(HubSession session)
    {
        var since = TimeProvider.System.GetTimestamp();
        _session = session;
        SetStatus(CollabStatus.Connected);
        if (_renewal is { } renewal)
            _ = RenewAsync(renewal, session);
        var error = await session.Ended;
        _session = null;
        if (error is not null)
            Fail(new CollabException(ClientErrorCodes.Disconnected, $"The connection was lost: {error.Message}", error));
        if (TimeProvider.System.GetElapsedTime(since) >= StableAfter)
            _backoff.Reset();
    }

    private async Task RenewAsync(TokenRenewal renewal, HubSession session)
    {
        try
        {
            await renewal.KeepAsync(
                () =>
                {
                    foreach (var document in _documents.Values)
                        document.RightsMayHaveChanged();
                },
                session.Ending);
        }
        catch (OperationCanceledException)
        {
            // The connection has ended.
        }
        catch (CollabException exception)
        {
            if (!session.Ending.IsCancellationRequested)
                Fail(exception);
        }
        catch (HttpRequestException exception)
        {
            if (!session.Ending.IsCancellationRequested)
                Fail(new CollabException(ClientErrorCodes.Unauthorized, "The token cannot be renewed.", exception));
        }
    }

    private void SetStatus(CollabStatus status)
    {
        if (status == Status)
            return;
        Status = status;
        Context.Tell(() => StatusChanged?.Invoke(this, EventArgs.Empty));
        foreach (var document in _documents.Values.ToArray())
            document.ConnectionChanged(status);
        foreach (var channel in _channels.Values.ToArray())
        {
            if (status == CollabStatus.Connected)
                channel.Connected();
            else
                channel.Disconnected();
        }
    }

    private void Fail(CollabException exception)
    {
        ClientLog.Failed(_logger, exception.Message, exception);
        Context.Tell(() => Failed?.Invoke(this, exception));
    }

    /// <summary>Carries what the server sends to where things happen, in its order.</summary>
    private sealed class ConnectionListener(CollabConnection connection) : IHubListener
    {
        public void DocumentUpdated(string documentId, byte[] update, string position) =>
            connection.Context.Post(() => connection.FindDocument(documentId)?.Updated(update));

        public void AwarenessUpdated(string documentId, byte[] awareness) =>
            connection.Context.Post(() => connection.FindDocument(documentId)?.AwarenessUpdated(awareness));

        public void DocumentClosed(string documentId, string reason) =>
            connection.Context.Post(() => connection.FindDocument(documentId)?.ClosedByServer(reason));

        public void MessageReceived(string channel, ChannelMessage message) =>
            connection.Context.Post(() => connection.FindChannel(channel)?.Arrived(new ChannelNews(Message: message)));

        public void MembersChanged(string channel, MembersChanged change) =>
            connection.Context.Post(() => connection.FindChannel(channel)?.Arrived(new ChannelNews(Change: change)));

        public void ChannelAdvanced(string channel, string position) =>
            connection.Context.Post(() => connection.FindChannel(channel)?.Arrived(new ChannelNews(Position: position)));

        public void ChannelClosed(string channel, string reason) =>
            connection.Context.Post(() => connection.FindChannel(channel)?.ClosedByServer(reason));
    }
}
