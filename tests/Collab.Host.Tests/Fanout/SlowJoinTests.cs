using System.Net.WebSockets;
using System.Text;
using Collab.Testing;

namespace Collab.Host.Tests.Fanout;

/// <summary>One whose line is slow gets a large document all the same.</summary>
public sealed class SlowJoinTests
{
    private const int Pieces = 10;
    private const int PieceBytes = 2_000_000;

    [Fact]
    public async Task A_large_document_may_take_longer_to_send_than_any_write_may_stand_still()
    {
        using var folder = new TemporaryFolder();
        await using var host = await HostProcess.Launch(folder.Path, settings: [("Collab__Fanout__WriteTimeoutMilliseconds", "2000")]).ReadyAsync();
        var writer = await host.ConnectAsync();
        var typist = new Typist(1);
        await writer.JoinAsync("large");
        for (var piece = 0; piece < Pieces; piece++)
            await writer.PushAsync("large", typist.Type(new string('x', PieceBytes)));

        using var slow = new ClientWebSocket();
        await slow.ConnectAsync(new Uri($"{host.Url.Replace("http", "ws", StringComparison.Ordinal)}/hubs/collab"), default);
        await SendAsync(slow, "{\"protocol\":\"json\",\"version\":1}\u001e");
        await SendAsync(slow, "{\"type\":1,\"invocationId\":\"1\",\"target\":\"JoinDocument\",\"arguments\":[\"large\",\"AA==\"]}\u001e");
        using var stop = new CancellationTokenSource();
        var writing = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await writer.PushAsync("large", typist.Type("more"));
                await Task.Delay(100);
            }
        });

        // A quarter of a megabyte every 75 ms: eight seconds for what is 27 MB as base64.
        var (buffer, received, after) = (new byte[256 * 1024], 0L, new StringBuilder());
        while (!after.ToString().Contains("DocumentUpdated", StringComparison.Ordinal))
        {
            var read = await slow.ReceiveAsync(buffer, default);
            Assert.NotEqual(WebSocketMessageType.Close, read.MessageType);
            received += read.Count;
            if (received > Pieces * PieceBytes * 4L / 3)
                after.Append(Encoding.UTF8.GetString(buffer, 0, read.Count));
            else if (read.Count > 0)
                await Task.Delay(75 * read.Count / buffer.Length);
        }

        await stop.CancelAsync();
        await writing;
        Assert.Equal(WebSocketState.Open, slow.State);
    }

    private static Task SendAsync(ClientWebSocket socket, string message) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, endOfMessage: true, default);
}
