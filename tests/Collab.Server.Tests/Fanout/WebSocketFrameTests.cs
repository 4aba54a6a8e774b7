using System.Net.WebSockets;
using Collab.Server.Fanout.WebSockets;

namespace Collab.Server.Tests.Fanout;

/// <summary>Frames as .NET's own client reads them.</summary>
public sealed class WebSocketFrameTests
{
    [Theory]
    [InlineData(0, true), InlineData(1, false), InlineData(125, true), InlineData(126, true), InlineData(65_535, false), InlineData(65_536, true), InlineData(1_000_000, false)]
    public async Task A_client_reads_the_payload_and_its_kind(int length, bool binary)
    {
        var buffer = new byte[WebSocketFrame.MaxHeader + length];
        Array.Fill(buffer, (byte)'x', WebSocketFrame.MaxHeader, length);
        var frame = WebSocketFrame.Enclose(buffer, length, binary);
        using var client = WebSocket.CreateFromStream(new MemoryStream(frame.ToArray()), new WebSocketCreationOptions());

        var payload = new byte[length + 1];
        var read = 0;
        ValueWebSocketReceiveResult result;
        do
        {
            result = await client.ReceiveAsync(payload.AsMemory(read), CancellationToken.None);
            read += result.Count;
        }
        while (!result.EndOfMessage);

        Assert.Equal(binary ? WebSocketMessageType.Binary : WebSocketMessageType.Text, result.MessageType);
        Assert.Equal(buffer[WebSocketFrame.MaxHeader..], payload[..read]);
    }
}
