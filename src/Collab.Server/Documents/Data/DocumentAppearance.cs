using System.Security.Cryptography;
using System.Text;
using Collab.Crdt;

namespace Collab.Server.Documents.Data;

/// <summary>An awareness state that code of the server shows in a document, and renews as a client does.</summary>
internal sealed class DocumentAppearance : IDocumentAppearance
{
    // As y-protocols renews.
    private static readonly TimeSpan Renewal = TimeSpan.FromSeconds(15);

    private readonly DocumentRoom _room;
    private readonly string? _userId;
    private readonly string _owner = $"appearance:{Guid.NewGuid():n}";
    private readonly Timer _timer;
    private readonly Lock _gate = new();
    private byte[] _json = "null"u8.ToArray();
    private ulong _clock;
    private bool _isGone;

    /// <param name="room">The document's room, visited; this ends the visit.</param>
    /// <param name="userId">Who is shown.</param>
    public DocumentAppearance(DocumentRoom room, string? userId)
    {
        (_room, _userId) = (room, userId);
        _timer = new Timer(_ => _ = SendAsync(), null, Renewal, Renewal);
    }

    public ulong ClientId { get; } = (ulong)RandomNumberGenerator.GetInt32(1, int.MaxValue);

    public Task ShowAsync(Any state)
    {
        lock (_gate)
            _json = Encoding.UTF8.GetBytes(state.ToString());
        return SendAsync();
    }

    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_isGone)
                return;
            _isGone = true;
        }

        await _timer.DisposeAsync();
        await _room.SendAwarenessAsync(_room.Awareness.Remove(_owner), userId: null);
        _room.EndVisit();
    }

    private Task SendAsync()
    {
        AwarenessState state;
        lock (_gate)
        {
            if (_isGone)
                return Task.CompletedTask;
            state = new AwarenessState(ClientId, ++_clock, _json);
        }

        return _room.SendAwarenessAsync(_room.Awareness.Apply(_owner, _userId, [state], Environment.TickCount64), _userId);
    }
}
