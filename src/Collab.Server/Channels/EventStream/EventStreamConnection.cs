using System.IO.Pipelines;
using System.Security.Claims;
using System.Text;
using Collab.Protocol;
using Collab.Server.Fanout;
using Collab.Server.Fanout.WebSockets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Collab.Server.Channels.EventStream;

/// <summary>
/// One EventSource as a connection that only receives. Over one channel it writes the bytes that all such streams share. Over
/// several, each event gets an id of this connection: the positions of all its channels, which is what it needs to come back.
/// </summary>
internal sealed class EventStreamConnection : IRecipient, IDisposable
{
    /// <summary>The <c>Last-Event-ID</c> of a stream that is over for good.</summary>
    public const string Over = "over";

    private static readonly EventStreamProtocol Format = new();

    private readonly HttpContext _context;
    private readonly PipeWriter _output;
    private readonly Dictionary<string, int> _channels;
    private readonly Position[] _positions;
    // A semaphore whose wait handle nobody asks for holds nothing.
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly CancellationTokenSource _ended;
    private long _lastWrite = Environment.TickCount64;

    public EventStreamConnection(HttpContext context, string id, string? userId, IReadOnlyList<string> channels)
    {
        (_context, ConnectionId, UserId) = (context, id, userId);
        _output = context.Response.BodyWriter;
        Channels = channels;
        _channels = channels.Select((name, i) => KeyValuePair.Create(name, i)).ToDictionary(StringComparer.Ordinal);
        _positions = new Position[channels.Count];
        _ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        ConnectionAborted = _ended.Token;
    }

    public string ConnectionId { get; }

    public CancellationToken ConnectionAborted { get; }

    public ClaimsPrincipal User => _context.User;

    public string? UserId { get; }

    public string Transport => Format.Name;

    public IHubProtocol Protocol => Format;

    public FrameStream? Stream => null;

    public bool IsWrittenToStream => false;

    public IDictionary<object, object?>? Items => null;

    /// <summary>What it follows.</summary>
    public IReadOnlyList<string> Channels { get; }

    private bool IsOfOne => _positions.Length == 1;

    /// <summary>Begins the stream: how long to wait after a cut, where each channel begins, and what there is already.</summary>
    public async Task StartAsync(int retryMilliseconds, IReadOnlyList<(string Channel, ChannelStart Start)> starts)
    {
        await _turn.WaitAsync(ConnectionAborted);
        try
        {
            Write($"retry: {retryMilliseconds}\n");
            foreach (var (channel, start) in starts)
                _positions[_channels[channel]] = new Position(start.Page.Epoch, start.Page.After);
            // An id without data is no event, but from here on the browser comes back with it.
            EventStreamProtocol.WriteId(_output, Id);
            Write("\n");
            foreach (var (channel, start) in starts)
            {
                if (!start.Recovered)
                    EventStreamProtocol.WriteGap(_output, new Position(start.Page.Epoch, start.Page.After), IsOfOne ? null : channel);
                foreach (var message in start.Page.Messages)
                    WriteMessage(channel, start.Page.Epoch, message);
                WriteAdvance(channel, new Position(start.Page.Epoch, start.Page.Through));
            }

            await FlushAsync();
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Writes a comment when nothing was written for so long, in milliseconds.</summary>
    public async Task KeepAliveAsync(int silence)
    {
        if (Environment.TickCount64 - Volatile.Read(ref _lastWrite) < silence || !await _turn.WaitAsync(0))
            return;
        try
        {
            Write(":\n\n");
            await FlushAsync();
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask WriteAsync(SerializedHubMessage message)
    {
        await _turn.WaitAsync(ConnectionAborted);
        try
        {
            switch (message.Message)
            {
                case CloseMessage close:
                    End(close.AllowReconnect);
                    break;
                case InvocationMessage { Target: HubContract.ChannelClosed }:
                    // Opened again it would be refused, as a stream of several is when one of them is.
                    End(allowReconnect: false);
                    break;
                case InvocationMessage { Arguments: [.., ChannelBatch batch] } when !IsOfOne:
                    WriteBatch(batch);
                    break;
                default:
                    var bytes = message.GetSerializedMessage(Format);
                    if (bytes.IsEmpty)
                        return;
                    await _output.WriteAsync(bytes, ConnectionAborted);
                    Volatile.Write(ref _lastWrite, Environment.TickCount64);
                    return;
            }

            await FlushAsync();
            if (message.Message is not InvocationMessage { Target: HubContract.MessageReceived })
                await _ended.CancelAsync();
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Abort() => _context.Abort();

    /// <summary>Nothing is written any more.</summary>
    public void Dispose()
    {
        _ended.Cancel();
        _ended.Dispose();
    }

    private string Id => string.Join(',', _positions);

    private void WriteBatch(ChannelBatch batch)
    {
        var channel = batch.Room.Name;
        if (batch.IsGap)
            EventStreamProtocol.WriteGap(_output, batch.Gap, channel);
        foreach (var stored in batch.Stored)
            WriteMessage(channel, batch.Position.Epoch, stored);
        if (batch.AdvancesFurther)
            WriteAdvance(channel, batch.Position);
    }

    // By itself an id is no event, but from here on the browser comes back with it.
    private void WriteAdvance(string channel, Position position)
    {
        ref var known = ref _positions[_channels[channel]];
        if (known == position)
            return;
        known = position;
        EventStreamProtocol.WriteId(_output, Id);
        Write("\n");
    }

    private void WriteMessage(string channel, string epoch, StoredMessage message)
    {
        _positions[_channels[channel]] = new Position(epoch, message.Offset);
        EventStreamProtocol.WriteId(_output, Id);
        EventStreamProtocol.WriteEvent(_output, message, IsOfOne ? null : channel);
    }

    // A stream that ends is opened again by the browser, unless the answer to that is 204.
    private void End(bool allowReconnect)
    {
        if (allowReconnect)
            return;
        EventStreamProtocol.WriteId(_output, Over);
        Write("\n");
    }

    private void Write(string text) => Encoding.UTF8.GetBytes(text, _output);

    private async ValueTask FlushAsync()
    {
        await _output.FlushAsync(ConnectionAborted);
        Volatile.Write(ref _lastWrite, Environment.TickCount64);
    }
}
