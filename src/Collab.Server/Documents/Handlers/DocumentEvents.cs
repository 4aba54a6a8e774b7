using Collab.Crdt;
using Collab.Protocol;
using Collab.Server.Handlers;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Documents.Handlers;

/// <summary>Tells the handlers what happens to one document, one thing after the other. Who tells it does not wait.</summary>
internal sealed class DocumentEvents
{
    /// <summary>So many changes wait for handlers that are behind; more are told together with the last of them.</summary>
    private const int MaxWaiting = 1024;

    private readonly DocumentContext _document;
    private readonly DocumentOptions _options;
    private readonly TimeProvider _clock;
    private readonly HandlerQueue<IDocumentHandler> _queue;
    private readonly bool _tellsChanges;
    private readonly TaskCompletionSource _closing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private WaitingChange? _last;
    private int _waiting;
    private long? _changedSince;
    private long _changedAt;
    private bool _isLoaded;
    private bool _isClosed;

    /// <param name="room">The document.</param>
    /// <param name="reader">Lets handlers read the document's content.</param>
    /// <param name="handlers">Who is told.</param>
    /// <param name="tellsChanges">Whether any of them wants to know of each change.</param>
    /// <param name="options">When a document counts as stored.</param>
    /// <param name="clock">The time.</param>
    /// <param name="logger">Where failures are written.</param>
    public DocumentEvents(
        DocumentRoom room, DocumentReader reader, IReadOnlyList<IDocumentHandler> handlers, bool tellsChanges, DocumentOptions options, TimeProvider clock, ILogger logger)
    {
        (_options, _clock, _tellsChanges) = (options, clock, tellsChanges);
        _document = new DocumentContext(room, reader);
        _queue = new HandlerQueue<IDocumentHandler>(
            handlers, clock, (handler, exception) => DocumentLog.HandlerFailed(logger, handler.GetType().Name, room.Id, exception));
    }

    /// <summary>The document is in memory.</summary>
    public void Loaded()
    {
        lock (_gate)
        {
            if (_isLoaded || _isClosed)
                return;
            _isLoaded = true;
        }

        Tell((handler, cancellationToken) => handler.LoadedAsync(_document, cancellationToken));
    }

    public void Joined(DocumentMember member)
    {
        var participant = ParticipantOf(member);
        Tell((handler, cancellationToken) => handler.JoinedAsync(_document, participant, cancellationToken));
    }

    public void Left(DocumentMember member)
    {
        var participant = ParticipantOf(member);
        Tell((handler, cancellationToken) => handler.LeftAsync(_document, participant, cancellationToken));
    }

    public void StatelessReceived(DocumentMember member, string payload)
    {
        var participant = ParticipantOf(member);
        Tell((handler, cancellationToken) => handler.StatelessReceivedAsync(_document, participant, payload, cancellationToken));
    }

    /// <summary>An update is durable.</summary>
    public void Changed(ReadOnlyMemory<byte> update, Position position, string? userId)
    {
        lock (_gate)
        {
            if (_isClosed)
                return;
            _changedAt = _clock.GetTimestamp();
            if (_changedSince is null)
            {
                _changedSince = _changedAt;
                _ = StoreAfterPauseAsync();
            }

            if (!_tellsChanges)
                return;
            if (_waiting >= MaxWaiting && _last is { } last)
            {
                last.Add(update, position, userId);
                return;
            }

            _waiting++;
            var change = _last = new WaitingChange(update, position, userId);
            Tell((handler, cancellationToken) => handler.ChangedAsync(_document, Take(change), cancellationToken));
        }
    }

    /// <summary>The document goes out of memory: tells that, and what is left to tell before.</summary>
    /// <returns>Completes when the handlers know all of it.</returns>
    public Task CloseAsync()
    {
        lock (_gate)
        {
            if (_isClosed)
                return _queue.CloseAsync();
            TellStoredIfChanged();
            if (_isLoaded)
                Tell((handler, cancellationToken) => handler.UnloadedAsync(_document, cancellationToken));
            _isClosed = true;
        }

        _closing.TrySetResult();
        return _queue.CloseAsync();
    }

    private void Tell(HandlerQueue<IDocumentHandler>.Happening happening) => _queue.Tell(happening);

    private async Task StoreAfterPauseAsync()
    {
        while (LeftUntilStored() is { } left && left > TimeSpan.Zero)
        {
            // At the end it is told at once.
            if (await Task.WhenAny(Task.Delay(left, _clock), _closing.Task) == _closing.Task)
                return;
        }

        lock (_gate)
            TellStoredIfChanged();
    }

    private TimeSpan? LeftUntilStored()
    {
        lock (_gate)
        {
            if (_changedSince is not { } since)
                return null;
            var quiet = TimeSpan.FromMilliseconds(_options.StoredAfterMilliseconds) - _clock.GetElapsedTime(_changedAt);
            var most = TimeSpan.FromMilliseconds(_options.StoredAtMostMilliseconds) - _clock.GetElapsedTime(since);
            return quiet < most ? quiet : most;
        }
    }

    private void TellStoredIfChanged()
    {
        if (_changedSince is null || _isClosed)
            return;
        _changedSince = null;
        Tell((handler, cancellationToken) => handler.StoredAsync(_document, cancellationToken));
    }

    private DocumentChange Take(WaitingChange change)
    {
        lock (_gate)
        {
            if (change.Told is { } told)
                return told;
            _waiting--;
            if (_last == change)
                _last = null;
            return change.Tell();
        }
    }

    private static DocumentParticipant ParticipantOf(DocumentMember member) => new(member.ConnectionId, member.UserId, member.CanWrite);

    /// <summary>A change that handlers were not told of yet.</summary>
    private sealed class WaitingChange(ReadOnlyMemory<byte> update, Position position, string? userId)
    {
        private const int MergeBytes = 1024 * 1024;

        private readonly List<ReadOnlyMemory<byte>> _updates = [update];
        private long _bytes = update.Length;
        private long _mergeAt = MergeBytes;
        private Position _position = position;
        private string? _userId = userId;

        /// <summary>What handlers are told; null before the first is.</summary>
        public DocumentChange? Told { get; private set; }

        public void Add(ReadOnlyMemory<byte> update, Position position, string? userId)
        {
            _updates.Add(update);
            _bytes += update.Length;
            _position = position;
            if (_userId != userId)
                _userId = null;
            if (_bytes < _mergeAt)
                return;
            // A handler that never comes to it must not cost more memory than the document.
            var merged = Merge();
            _updates.Clear();
            _updates.Add(merged);
            _bytes = merged.Length;
            _mergeAt = Math.Max(MergeBytes, 2 * _bytes);
        }

        public DocumentChange Tell() => Told = new(Merge(), _position.ToString(), _userId);

        private ReadOnlyMemory<byte> Merge() => _updates.Count == 1 ? _updates[0] : Updates.MergeV1(_updates);
    }
}
