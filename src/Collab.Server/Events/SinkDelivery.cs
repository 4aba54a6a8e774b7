using Collab.Protocol;
using Collab.Server.Rooms;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Events;

/// <summary>
/// Delivers events to one sink: reads the outbox, and sends each room's events one after the other. While some rooms' events fail and others' do
/// not, those rooms fall behind: their events wait in the outbox and cost no memory. When all fail, it is the sink that is away: then one room at a
/// time tries, and no more is read than fits.
/// </summary>
internal sealed partial class SinkDelivery : IAsyncDisposable
{
    private const int MaxInHand = 4096;
    private const int PageNotes = 512;
    private const long PageBytes = 1024 * 1024;
    private const int NotesOfOneBehind = 256;
    private const int NotesComposedAtOnce = 64;
    private const int AttemptsBeforeBehind = 3;
    // So many failures in a row are the sink's, not an event's.
    private const int FailuresOfSink = 3;

    private static readonly TimeSpan LongestProbe = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan SaveInterval = TimeSpan.FromSeconds(1);
    // So long what is written is gathered before it is read, for reading costs more than what is read; longer where it is gathered anyway.
    private static readonly TimeSpan ShortGatherTime = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongGatherTime = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(2);

    private readonly EventSinkRegistration _registration;
    private readonly IEventSink _sink;
    private readonly EventServices _services;
    private readonly EventOptions _options;
    private readonly IReadOnlyList<double> _waits;
    private readonly SemaphoreSlim _news = new(0);
    private readonly CancellationTokenSource _ended = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<(int Shard, string Subject), RoomDelivery> _rooms = [];
    private readonly PriorityQueue<RoomDelivery, DateTimeOffset> _queue = new();
    private readonly HashSet<Task> _sends = [];
    private OutboxShard[] _shards = [];
    private Position _position;
    private DateTimeOffset _pausedUntil;
    private long _savedAt;
    private long _lookedAt;
    private int _written;
    private int _failures;
    private string? _disabled;
    private string? _fault;
    private long? _deliveredAt;
    private bool _isChanged;
    private bool _isEnding;

    public SinkDelivery(EventSinkRegistration registration, EventServices services)
    {
        (_registration, _services, _options) = (registration, services, services.Options);
        _sink = services.Sinks[registration.Name];
        _waits = _options.Waits;
    }

    private string Name => _registration.Name;

    private DateTimeOffset Now => _services.Clock.GetUtcNow();

    private bool Gathers => _registration.Subscription.DebounceMilliseconds > 0;

    private TimeSpan GatherTime => _registration.Subscription.DebounceMilliseconds >= 500 ? LongGatherTime : ShortGatherTime;

    private bool IsFailing => _failures >= FailuresOfSink;

    /// <summary>How many events were read and wait; those of rooms that are behind are not counted.</summary>
    public int InHand
    {
        get
        {
            lock (_gate)
                return _shards.Sum(shard => shard.Open);
        }
    }

    /// <summary>The offset up to which a log of the outbox is needed no more; null while that is not known.</summary>
    public long? DoneIn(int shard)
    {
        lock (_gate)
        {
            if (_shards.Length == 0)
                return null;
            var done = _shards[shard].Done;
            foreach (var room in _rooms.Values)
            {
                if (room.Shard.Number == shard && room.FirstWaiting is { } waiting)
                    done = Math.Min(done, waiting - 1);
            }

            return done;
        }
    }

    /// <summary>There is something to read in one of the outbox's logs.</summary>
    public void NoteWritten(int shard)
    {
        Interlocked.Or(ref _written, 1 << shard);
        Hurry();
    }

    private void Hurry()
    {
        if (_news.CurrentCount == 0)
            _news.Release();
    }

    /// <summary>Delivers until it is cancelled, or somebody else has written the sink's state.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await BeginAsync(cancellationToken);
        while (true)
        {
            if (_disabled is null)
            {
                await ReadAsync(cancellationToken);
                SendDue();
            }

            if (!await SaveAsync(cancellationToken))
                return;
            if (await _news.WaitAsync(UntilNext(), cancellationToken) && Volatile.Read(ref _written) != 0)
                await Task.Delay(GatherTime, _services.Clock, cancellationToken);
            if (_disabled is not null && !_isChanged && (await _services.States.ReadAsync(Name, cancellationToken)).Position != _position)
                return;
        }
    }

    /// <summary>Lets what is on its way arrive, for a moment, and keeps how far it came.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] sends;
        lock (_gate)
        {
            _isEnding = true;
            sends = [.. _sends];
        }

        try
        {
            await Task.WhenAll(sends).WaitAsync(EndPatience);
        }
        catch (TimeoutException)
        {
            await _ended.CancelAsync();
            await Task.WhenAll(sends);
        }

        try
        {
            if (_shards.Length > 0 && _isChanged)
                await _services.States.TryWriteAsync(Name, State(), _position, CancellationToken.None);
        }
        catch (RoomLogUnavailableException)
        {
            // Some events come twice.
        }

        _ended.Dispose();
    }

    private async Task BeginAsync(CancellationToken cancellationToken)
    {
        (var state, _position) = await _services.States.ReadAsync(Name, cancellationToken);
        lock (_gate)
        {
            _shards = [.. state.Done.Select((done, number) => new OutboxShard(number, done))];
            (_disabled, _fault, _deliveredAt) = (state.Disabled, state.Fault, state.DeliveredAt);
            foreach (var behind in state.Behind)
            {
                var room = new RoomDelivery(behind.Subject, _shards[behind.Shard])
                {
                    From = behind.From,
                    Attempts = behind.Attempts,
                    Due = DateTimeOffset.FromUnixTimeMilliseconds(behind.RetryAt),
                };
                _rooms.Add((behind.Shard, behind.Subject), room);
                Schedule(room);
            }
        }
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        var written = Interlocked.Exchange(ref _written, 0);
        // What other nodes write, and what was left for want of room, is found by looking.
        if (_lookedAt == 0 || _services.Clock.GetElapsedTime(_lookedAt) >= _services.PollInterval)
        {
            _lookedAt = _services.Clock.GetTimestamp();
            var heads = await _services.Log.ReadHeadsAsync([.. _shards.Select(shard => shard.Key)], cancellationToken);
            for (var i = 0; i < heads.Count; i++)
                written |= heads[i].Offset > _shards[i].Read ? 1 << i : 0;
        }

        foreach (var shard in _shards.Where(shard => (written & (1 << shard.Number)) != 0))
        {
            LogPage page;
            do
            {
                if (InHand >= MaxInHand && !MakeRoom())
                {
                    // As soon as there is room.
                    Interlocked.Or(ref _written, written);
                    return;
                }

                page = await _services.Log.ReadAsync(shard.Key, shard.Read, PageNotes, PageBytes, cancellationToken);
                if (page.Trimmed > shard.Read)
                    EventLog.Lost(_services.Logger, Name);
                Take(shard, page);
            }
            while (shard.Read < page.Head);
        }
    }

    private void Take(OutboxShard shard, LogPage page)
    {
        var now = Now;
        lock (_gate)
        {
            _isChanged |= page.Entries.Count > 0;
            foreach (var entry in page.Entries)
            {
                var note = EventNote.Decode(entry.Data);
                if (!_registration.Subscription.Wants(note.Type, note.Room))
                    continue;
                if (!_rooms.TryGetValue((shard.Number, note.Subject), out var room))
                    _rooms.Add((shard.Number, note.Subject), room = new RoomDelivery(note.Subject, shard));
                // Of one that is behind it is found when those before it were delivered.
                if (room.From is null)
                    Add(room, new StoredNote(shard, page.Epoch, entry.Offset, entry.Offset, entry.WrittenAt, note), now);
            }

            shard.ReadThrough(page.ReachedFrom(shard.Read));
        }
    }

    private void Add(RoomDelivery room, StoredNote note, DateTimeOffset now)
    {
        room.Add(note, Gathers, now);
        if (room.Attempts > 0)
            return;
        room.Due = now;
        if (room.Gathered is not null)
        {
            var quiet = now.AddMilliseconds(_registration.Subscription.DebounceMilliseconds);
            var most = room.GatheredSince.AddMilliseconds(_registration.Subscription.DebounceAtMostMilliseconds);
            room.Due = quiet < most ? quiet : most;
        }

        Schedule(room);
    }

    /// <summary>Lets rooms whose events fail fall behind, if others' do not.</summary>
    private bool MakeRoom()
    {
        lock (_gate)
        {
            if (IsFailing)
                return false;
            foreach (var room in _rooms.Values.Where(room => room is { IsSending: false, Attempts: > 0, Notes.Count: > 0 }))
                room.FallBehind();
        }

        return InHand < MaxInHand;
    }

    private void Schedule(RoomDelivery room)
    {
        if (room.IsSending || room.QueuedFor <= room.Due)
            return;
        room.QueuedFor = room.Due;
        _queue.Enqueue(room, room.Due);
    }

    private void SendDue()
    {
        lock (_gate)
        {
            var now = Now;
            while (_disabled is null && !_isEnding && now >= _pausedUntil && _sends.Count < (IsFailing ? 1 : _options.MaxConcurrency)
                && _queue.TryPeek(out var room, out var at) && at <= now)
            {
                _queue.Dequeue();
                if (room.QueuedFor != at)
                    continue;
                room.QueuedFor = null;
                if (room.IsSending || room.IsEmpty)
                    continue;
                if (room.Due > now)
                {
                    Schedule(room);
                    continue;
                }

                room.IsSending = true;
                var send = new TaskCompletionSource();
                _sends.Add(send.Task);
                _ = Task.Run(async () =>
                {
                    await SendAsync(room);
                    lock (_gate)
                        _sends.Remove(send.Task);
                    send.SetResult();
                    SendDue();
                    Hurry();
                });
            }
        }
    }

    private TimeSpan UntilNext()
    {
        var most = _disabled is not null ? TimeSpan.FromSeconds(1) : _services.PollInterval;
        lock (_gate)
        {
            if (_isChanged && most > SaveInterval)
                most = SaveInterval;
            if (_queue.TryPeek(out _, out var at) && _sends.Count < (IsFailing ? 1 : _options.MaxConcurrency))
            {
                var left = (at > _pausedUntil ? at : _pausedUntil) - Now;
                most = left < most ? left : most;
            }
        }

        // A little late rather than twice.
        return most > TimeSpan.Zero ? most + TimeSpan.FromMilliseconds(1) : TimeSpan.Zero;
    }

    private async Task<bool> SaveAsync(CancellationToken cancellationToken)
    {
        SinkState state;
        lock (_gate)
        {
            if (!_isChanged || (_disabled is null && _services.Clock.GetElapsedTime(_savedAt) < SaveInterval))
                return true;
            (_isChanged, _savedAt) = (false, _services.Clock.GetTimestamp());
            state = State();
        }

        try
        {
            if (await _services.States.TryWriteAsync(Name, state, _position, cancellationToken) is not { } position)
                return false;
            _position = position;
            return true;
        }
        catch (RoomLogUnavailableException)
        {
            _isChanged = true;
            throw;
        }
    }

    private SinkState State()
    {
        lock (_gate)
        {
            return new SinkState(
                [.. _shards.Select(shard => shard.Done)],
                [
                    .. _rooms.Values.Where(room => room.FirstWaiting is not null).Select(room => new RoomBehind(
                        room.Subject, room.Shard.Number, room.FirstWaiting!.Value, room.Attempts, room.Due.ToUnixTimeMilliseconds())),
                ],
                _disabled,
                _fault,
                _deliveredAt);
        }
    }
}
