using System.Net.WebSockets;
using System.Text;
using Collab.Testing;

namespace Collab.Host.Tests.Fanout;

/// <summary>One whose line is slow gets a large document all the same; one who takes nothing is let go.</summary>
public sealed class SlowJoinTests : IDisposable
{
    private const int Pieces = 10;
    private const int PieceBytes = 2_000_000;

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task A_large_document_may_take_longer_to_send_than_any_write_may_stand_still()
    {
        await using var host = await LaunchAsync();
        var (writer, typist) = await WriteLargeAsync(host);
        using var slow = await JoinLargeAsync(host);
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

    [Fact]
    public async Task One_who_takes_nothing_of_a_large_document_is_closed_and_counted()
    {
        await using var host = await LaunchAsync();
        await WriteLargeAsync(host);
        using var dead = await JoinLargeAsync(host);

        using var http = new HttpClient();
        var deadline = DateTime.UtcNow.AddSeconds(20);
        while (!(await http.GetStringAsync($"{host.Url}/metrics")).Contains("collab_fanout_stalled_total{otel_scope_name=\"Collab.Fanout\"} 1", StringComparison.Ordinal))
        {
            Assert.True(DateTime.UtcNow < deadline, "It is not counted.");
            await Task.Delay(200);
        }

        await Assert.ThrowsAsync<WebSocketException>(async () =>
        {
            while (true)
                await dead.ReceiveAsync(new byte[256 * 1024], default);
        });
    }

    public void Dispose() => _folder.Dispose();

    private Task<HostProcess> LaunchAsync() =>
        HostProcess.Launch(_folder.Path, settings: [("Collab__Fanout__WriteTimeoutMilliseconds", "2000")]).ReadyAsync();

    private static async Task<(TestClient Writer, Typist Typist)> WriteLargeAsync(HostProcess host)
    {
        var (writer, typist) = (await host.ConnectAsync(), new Typist(1));
        await writer.JoinAsync("large");
        for (var piece = 0; piece < Pieces; piece++)
            await writer.PushAsync("large", typist.Type(new string('x', PieceBytes)));
        return (writer, typist);
    }

    private static async Task<ClientWebSocket> JoinLargeAsync(HostProcess host)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"{host.Url.Replace("http", "ws", StringComparison.Ordinal)}/hubs/collab"), default);
        await SendAsync(socket, "{\"protocol\":\"json\",\"version\":1}\u001e");
        await SendAsync(socket, "{\"type\":1,\"invocationId\":\"1\",\"target\":\"JoinDocument\",\"arguments\":[\"large\",\"AA==\"]}\u001e");
        return socket;
    }

    private static Task SendAsync(ClientWebSocket socket, string message) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, endOfMessage: true, default);
}
