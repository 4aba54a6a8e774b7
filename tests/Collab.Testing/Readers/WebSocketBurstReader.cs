using System.Net.WebSockets;
using System.Text;

namespace Collab.Testing.Readers;

/// <summary>A member over a WebSocket.</summary>
public sealed class WebSocketBurstReader(Uri hub) : BurstReader(hub)
{
    private readonly ClientWebSocket _socket = new();

    protected override Task ConnectAsync() =>
        _socket.ConnectAsync(new UriBuilder(Hub) { Scheme = "ws" }.Uri, Stopping);

    protected override Task SendAsync(string message) =>
        _socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, endOfMessage: true, Stopping);

    protected override async ValueTask<int> ReadAsync(Memory<byte> buffer) => (await _socket.ReceiveAsync(buffer, Stopping)).Count;

    protected override ValueTask CloseAsync()
    {
        _socket.Dispose();
        return default;
    }
}
