using System.Text.Json;
using Collab.Protocol;

namespace Collab.Client;

/// <summary>
/// The one server subscription that all readers of a channel share. It begins with the first reader, ends with the last, and after a
/// reconnect goes on from the last position. Readers that come later and want something of the history read that by themselves.
/// </summary>
internal sealed class ChannelFeed(CollabConnection connection, string name)
{
    private readonly List<ChannelReader> _readers = [];
    private readonly ChannelMembers _members = new();
    // Who is reading the history, and over which connection.
    private readonly Dictionary<ChannelReader, ChannelSession> _catchingUp = [];
    private ChannelSession? _session;
    // The position of the last message that has arrived; null while nothing was subscribed to.
    private string? _cursor;

    public void Add(ChannelReader reader)
    {
        _readers.Add(reader);
        if (_session is { } session)
            _ = SteerAsync(session);
    }

    /// <param name="error">What its <c>Ready</c> fails with if the reader had not begun.</param>
    public void Remove(ChannelReader reader, CollabException error, bool isRefused = false)
    {
        if (!_readers.Remove(reader))
            return;
        reader.End(error, isRefused);
        if (_session is { } session && !isRefused)
            _ = SteerAsync(session);
    }

    public void RemoveAll(CollabException error)
    {
        foreach (var reader in _readers.ToArray())
            Remove(reader, error);
    }

    public void Connected()
    {
        Disconnected();
        _session = new ChannelSession();
        _ = SteerAsync(_session);
    }

    public void Disconnected()
    {
        _session?.End();
        _session = null;
    }

    /// <summary>Something has come from the server.</summary>
    public void Arrived(ChannelNews news)
    {
        if (_session is not { } session)
            return;
        if (session.Held is { } held)
            held.Add(news);
        else if (session.IsSubscribed)
            HandOut(news);
    }

    /// <summary>The server has ended the subscription for good.</summary>
    public void Closed(string reason)
    {
        if (_session is not { } session)
            return;
        session.IsSubscribed = false;
        session.Presence = null;
        foreach (var reader in _readers.ToArray())
            Remove(reader, new CollabException(reason, $"The server has closed the channel \"{name}\"."), isRefused: true);
    }

    // The reader whose presence counts.
    private ChannelReader? Shown => _readers.FindLast(
        reader => reader.Options.Presence is { ValueKind: not (JsonValueKind.Null or JsonValueKind.False or JsonValueKind.Undefined) });

    // The reader that a subscription begins with: it says where.
    private ChannelReader? First => _readers.Find(reader => !reader.HasBegun && !reader.IsBehind);

    // Brings what the server knows in line with what the readers want: one call after the other, as calls may overtake each other.
    private async Task SteerAsync(ChannelSession session)
    {
        if (session.IsBusy)
            return;
        session.IsBusy = true;
        // Not at once: its handlers must not be called before it is in its owner's hands.
        await Task.Yield();
        var backoff = Backoff.OfCalls();
        while (!session.IsOver)
        {
            var isWanted = _readers.Count > 0;
            var shown = Shown;
            var presence = shown?.Options.Presence?.GetRawText();
            try
            {
                if (session.IsSubscribed && (!isWanted || (session.Presence is not null && presence is null)))
                    await UnsubscribeAsync(session);
                else if (isWanted && (!session.IsSubscribed || presence != session.Presence))
                    await SubscribeAsync(session, presence, shown);
                else
                    break;
                backoff.Reset();
            }
            catch (CollabException exception)
            {
                Release(session);
                // The connection ends, and the next one begins again.
                if (session.IsOver || exception.Code is ClientErrorCodes.Disconnected or ErrorCodes.NotJoined)
                    break;
                if (exception.IsTransient)
                    await backoff.WaitAsync(session.Ending);
                else
                    Refused(exception, session, shown);
            }
        }
        session.IsBusy = false;
        if (!session.IsOver && session.IsSubscribed)
            BringUp(session);
    }

    private async Task SubscribeAsync(ChannelSession session, string? presence, ChannelReader? shown)
    {
        var first = First;
        // Who has begun goes on; else nothing is left of former readers.
        if (!_readers.Exists(reader => reader.HasBegun || reader.IsBehind))
            _cursor = null;
        var begins = _cursor is null ? first?.Options : null;
        ChannelReader[] readers = [.. _readers];
        session.Held = [];
        var answer = await connection.CallAsync<SubscribedChannel>("Subscribe", name, new SubscribeOptions
        {
            After = _cursor ?? begins?.After,
            Rewind = begins?.Rewind,
            Presence = presence is null ? null : shown!.Options.Presence,
        });
        if (session.IsOver)
            return;
        session.IsSubscribed = true;
        session.Presence = presence;
        Begin(answer, readers, first);
        if (presence is null)
            _members.Clear();
        else
            TellMembers(_members.Meet(answer.Members));
        Release(session);
    }

    // What has arrived while an answer was awaited follows it.
    private void Release(ChannelSession session)
    {
        var held = session.Held;
        session.Held = null;
        if (!session.IsSubscribed || held is null)
            return;
        foreach (var news in held)
            HandOut(news);
    }

    private async Task UnsubscribeAsync(ChannelSession session)
    {
        session.IsSubscribed = false;
        session.Presence = null;
        await connection.CallAsync<object>("Unsubscribe", name);
    }

    private void Begin(SubscribedChannel answer, ChannelReader[] asked, ChannelReader? first)
    {
        var isFirst = _cursor is null;
        var from = answer.Messages.Count > 0 ? Places.Before(answer.Messages[0]) : answer.Position;
        _cursor = from;
        foreach (var reader in asked)
        {
            // The others have not been asked for: they begin like those that come later.
            if (_readers.Contains(reader) && (reader.HasBegun || (isFirst && reader == first)))
                reader.Follows(from, answer.Position, answer.Recovered);
        }
        foreach (var message in answer.Messages)
            HandOut(new ChannelNews(message));
        _cursor = answer.Position;
        foreach (var reader in asked)
            reader.Advance(answer.Position);
        foreach (var reader in asked)
        {
            if (reader.HasBegun)
                reader.Begun();
        }
    }

    private void HandOut(ChannelNews news)
    {
        if (news.Change is { } change)
        {
            _members.Change(change);
            TellMembers(change);
        }
        if ((news.Message?.Position ?? news.Position) is not { } position)
            return;
        if (_cursor is null || !Places.Reaches(_cursor, position))
            _cursor = position;
        // One that has not begun will be told where it begins.
        foreach (var reader in _readers.ToArray().Where(reader => reader.HasBegun || reader.IsBehind))
        {
            if (news.Message is { } message)
                reader.Take(message);
            else
                reader.Advance(position);
        }
    }

    // Readers that came while the subscription stood: they begin here, or read the history first.
    private void BringUp(ChannelSession session)
    {
        foreach (var reader in _readers.ToArray())
        {
            if (!reader.HasBegun && !reader.IsBehind)
            {
                if (session.Presence is not null)
                    reader.Changed(_members.All, new MembersChanged(_members.All, []));
                if (reader.Options.After is null && reader.Options.Rewind is null or 0)
                {
                    reader.Follows(_cursor!, _cursor!, recovered: true);
                    reader.Begun();
                    continue;
                }
                reader.Hold();
            }
            if (reader.IsBehind)
                _ = CatchUpAsync(session, reader);
        }
    }

    private async Task CatchUpAsync(ChannelSession session, ChannelReader reader)
    {
        if (_catchingUp.GetValueOrDefault(reader) == session)
            return;
        _catchingUp[reader] = session;
        var backoff = Backoff.OfCalls();
        while (!session.IsOver && _readers.Contains(reader))
        {
            try
            {
                await new ChannelCatchUp(connection, name).ReadAsync(reader);
                reader.Release();
                break;
            }
            catch (CollabException exception)
            {
                // What it holds stays; it goes on from its position with the next connection.
                if (session.IsOver || exception.Code == ClientErrorCodes.Disconnected)
                    break;
                if (exception.IsTransient)
                    await backoff.WaitAsync(session.Ending);
                else
                    Remove(reader, exception, isRefused: true);
            }
        }
        if (_catchingUp.GetValueOrDefault(reader) == session)
            _catchingUp.Remove(reader);
    }

    // A refusal ends the reader that it is about: one that was to begin, or whose presence was to be shown; else all.
    private void Refused(CollabException exception, ChannelSession session, ChannelReader? shown)
    {
        var isAboutAll = exception.Code is ErrorCodes.Forbidden or ErrorCodes.InvalidName;
        var isAboutPresence = session.IsSubscribed || exception.Code == ErrorCodes.TooLarge
            || exception.Message.StartsWith("presence:", StringComparison.Ordinal);
        var about = isAboutPresence ? shown : isAboutAll || _cursor is not null ? null : First;
        foreach (var reader in about is null ? _readers.ToArray() : [about])
            Remove(reader, exception, isRefused: true);
    }

    private void TellMembers(MembersChanged change)
    {
        if (change.Joined.Count + change.Left.Count == 0)
            return;
        foreach (var reader in _readers.ToArray())
        {
            if (reader.HasBegun || reader.IsBehind)
                reader.Changed(_members.All, change);
        }
    }
}
