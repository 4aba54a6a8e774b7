using System.Net.WebSockets;
using Collab.Crdt;
using Collab.Testing;

namespace Collab.Host.Tests.Gateways;

/// <summary>A client of the y-websocket protocol, or with an address of Hocuspocus', that has what it was sent in a document of its own.</summary>
internal sealed class YjsClient : IAsyncDisposable
{
    private readonly ClientWebSocket _socket = new();
    private readonly byte[] _address;
    private readonly Doc _doc = new();
    private Task _reading = Task.CompletedTask;

    private YjsClient(byte[] address) => _address = address;

    public static async Task<YjsClient> ConnectAsync(string url, string path, byte[] address)
    {
        var client = new YjsClient(address);
        await client._socket.ConnectAsync(new Uri(url.Replace("http", "ws", StringComparison.Ordinal) + path), default);
        // Hocuspocus' clients sign in first, guests with an empty token.
        if (address.Length > 0)
            await client.SendAsync([2, 0, 0]);
        await client.SendAsync([0, 0, 1, 0]);
        client._reading = client.ReadAsync();
        return client;
    }

    public Task PushAsync(byte[] update) => SendAsync([0, 2, (byte)update.Length, .. update]);

    public async Task UntilTextAsync(Func<string, bool> condition)
    {
        var deadline = DateTime.UtcNow.AddSeconds(20);
        while (!condition(Text))
        {
            Assert.True(DateTime.UtcNow < deadline, $"the text is {Text}");
            await Task.Delay(20);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        await _reading;
        _socket.Dispose();
        _doc.Dispose();
    }

    private string Text
    {
        get
        {
            lock (_doc)
                return _doc.GetText("t").ToString();
        }
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await _socket.ReceiveAsync(buffer, default) is { MessageType: WebSocketMessageType.Binary } read)
            {
                Assert.True(read.EndOfMessage);
                var message = buffer.AsSpan(_address.Length, read.Count - _address.Length);
                // Of kind sync, and with an update.
                if (message is not [0, 1 or 2, ..])
                    continue;
                lock (_doc)
                    _doc.ApplyV1(SyncMessage.Read(message[1..]).Payload);
            }
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or IOException)
        {
            // It is over.
        }
    }

    private Task SendAsync(ReadOnlySpan<byte> message) =>
        _socket.SendAsync((byte[])[.. _address, .. message], WebSocketMessageType.Binary, true, default);
}
