using Collab.Server.Rooms;

namespace Collab.Server.Events;

// How one room's events are sent, and what becomes of them.
internal sealed partial class SinkDelivery
{
    /// <summary>Sends what a room has, as long as it is delivered.</summary>
    private async Task SendAsync(RoomDelivery room)
    {
        try
        {
            while (await NextAsync(room) is { Count: > 0 } events)
            {
                var outcome = IsTooOld(events) ? EventOutcome.Refused($"it waited for more than {_options.KeepHours} hours") : await TrySendAsync(events);
                if (!await SettleAsync(room, events, outcome))
                    break;
            }
        }
        catch (RoomLogUnavailableException exception)
        {
            EventLog.StoreAway(_services.Logger, exception);
            Postpone(room, TimeSpan.FromSeconds(1));
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            // It is sent by whoever goes on.
        }
        catch (Exception exception)
        {
            EventLog.DeliveryFailed(_services.Logger, Name, exception);
            Postpone(room, TimeSpan.FromSeconds(30));
        }
        finally
        {
            lock (_gate)
            {
                room.IsSending = false;
                if (room.IsEmpty)
                    _rooms.Remove((room.Shard.Number, room.Subject));
                else
                    Schedule(room);
            }
        }
    }

    /// <summary>The events to send next; none when there are none, or it is not their turn.</summary>
    private async Task<IReadOnlyList<OutgoingEvent>> NextAsync(RoomDelivery room)
    {
        if (room.Events.Count == 0)
        {
            while (room.Notes.Count == 0 && room.From is not null)
                await CatchUpAsync(room);
            StoredNote[] notes;
            lock (_gate)
            {
                if (_disabled is not null || _isEnding || room.Due > Now || _pausedUntil > Now)
                    return [];
                room.EndGathering();
                notes = [.. room.Notes.Take(NotesComposedAtOnce)];
            }

            var events = await _services.Composer.ComposeAsync(notes, _registration.Subscription.IncludeContent, _ended.Token);
            lock (_gate)
            {
                for (var i = 0; i < events.Length; i++)
                {
                    for (var j = 0; j < events[i].Count; j++)
                        room.Events.Enqueue((events[i][j], j == events[i].Count - 1));
                }
            }
        }

        return [.. room.Events.Take(Math.Max(_sink.MaxBatch, 1)).Select(one => one.Event)];
    }

    /// <summary>Looks up the next notes of a room that is behind.</summary>
    private async Task CatchUpAsync(RoomDelivery room)
    {
        var found = new List<StoredNote>();
        var from = room.From!.Value;
        while (from <= room.Shard.Read && found.Count < NotesOfOneBehind)
        {
            var page = await _services.Log.ReadAsync(room.Shard.Key, from - 1, PageNotes, PageBytes, _ended.Token);
            foreach (var entry in page.Entries.TakeWhile(entry => entry.Offset <= room.Shard.Read))
            {
                var note = EventNote.Decode(entry.Data);
                from = entry.Offset + 1;
                if (note.Subject != room.Subject || !_registration.Subscription.Wants(note.Type, note.Room))
                    continue;
                var stored = new StoredNote(room.Shard, page.Epoch, entry.Offset, entry.Offset, entry.WrittenAt, note);
                if (Gathers && found.Count > 0 && found[^1].With(stored) is { } both)
                    found[^1] = both;
                else
                    found.Add(stored);
                if (found.Count == NotesOfOneBehind)
                    break;
            }

            // What is not kept any more was too old.
            if (page.Entries.Count == 0 || page.Entries[0].Offset > room.Shard.Read)
                from = room.Shard.Read + 1;
        }

        lock (_gate)
        {
            foreach (var note in found)
                room.Notes.Enqueue(note);
            // What is read from now on comes by itself.
            room.From = found.Count == 0 && from > room.Shard.Read ? null : from;
            _isChanged = true;
        }
    }

    private async Task<EventOutcome> TrySendAsync(IReadOnlyList<OutgoingEvent> events)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token);
        patience.CancelAfter(TimeSpan.FromSeconds(_options.TimeoutSeconds));
        try
        {
            return await _sink.SendAsync(events, patience.Token).AsTask().WaitAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!_ended.IsCancellationRequested)
        {
            return EventOutcome.Failed($"no answer within {_options.TimeoutSeconds} seconds");
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return EventOutcome.Failed(exception.Message);
        }
    }

    /// <summary>Does what the outcome asks for.</summary>
    /// <returns>Whether the room goes on.</returns>
    private async Task<bool> SettleAsync(RoomDelivery room, IReadOnlyList<OutgoingEvent> events, EventOutcome outcome)
    {
        switch (outcome.Kind)
        {
            case EventOutcomeKind.Delivered:
                _services.Metrics.Delivered(Name, events, Now);
                Succeed(room, events.Count);
                return true;
            case EventOutcomeKind.Refused:
                await GiveUpAsync(room, events, outcome.Reason);
                return true;
            case EventOutcomeKind.Gone:
                EventLog.Disabled(_services.Logger, Name, outcome.Reason);
                lock (_gate)
                {
                    _disabled ??= outcome.Reason;
                    _isChanged = true;
                }

                return false;
            default:
                _services.Metrics.Failed(Name);
                return await FailAsync(room, events, outcome);
        }
    }

    private void Succeed(RoomDelivery room, int count)
    {
        lock (_gate)
        {
            room.Pass(count);
            (_deliveredAt, _fault, _isChanged) = (Now.ToUnixTimeMilliseconds(), null, true);
            if (IsFailing)
            {
                EventLog.Recovered(_services.Logger, Name);
                _pausedUntil = default;
                // Whoever failed because of the sink need not wait.
                foreach (var other in _rooms.Values.Where(other => other.Attempts > 0))
                {
                    other.Due = Now;
                    Schedule(other);
                }
            }

            _failures = 0;
        }
    }

    private async Task<bool> FailAsync(RoomDelivery room, IReadOnlyList<OutgoingEvent> events, EventOutcome outcome)
    {
        bool isLast;
        lock (_gate)
        {
            (_fault, _isChanged) = (outcome.Reason, true);
            if (++_failures == FailuresOfSink)
                EventLog.Failing(_services.Logger, Name, outcome.Reason);
            isLast = ++room.Attempts > _waits.Count;
            var wait = TimeSpan.FromSeconds(_waits[Math.Min(room.Attempts, _waits.Count) - 1] * (0.8 + (0.4 * Random.Shared.NextDouble())));
            if (outcome.RetryAfter is { } asked)
                Pause(asked < TimeSpan.FromDays(1) ? asked : TimeSpan.FromDays(1));
            if (IsFailing)
                Pause(wait < LongestProbe ? wait : LongestProbe);
            if (!isLast)
            {
                room.Due = Now + wait;
                if (room.Attempts >= AttemptsBeforeBehind && !IsFailing)
                    room.FallBehind();
                return false;
            }
        }

        await GiveUpAsync(room, events, outcome.Reason);
        return true;
    }

    private async Task GiveUpAsync(RoomDelivery room, IReadOnlyList<OutgoingEvent> events, string reason)
    {
        foreach (var one in events)
        {
            await _services.DeadLetters.AddAsync(Name, one, reason, Math.Max(room.Attempts, 1), _ended.Token);
            EventLog.GaveUp(_services.Logger, one.Id, one.Type, Math.Max(room.Attempts, 1), Name, reason);
            _services.Metrics.Dead(Name);
        }

        lock (_gate)
        {
            room.Pass(events.Count);
            _isChanged = true;
        }
    }

    private bool IsTooOld(IReadOnlyList<OutgoingEvent> events) => Now - events[0].Time > TimeSpan.FromHours(_options.KeepHours);

    private void Pause(TimeSpan time)
    {
        var until = Now + time;
        if (until > _pausedUntil)
            _pausedUntil = until;
    }

    private void Postpone(RoomDelivery room, TimeSpan time)
    {
        lock (_gate)
            room.Due = Now + time;
    }
}
