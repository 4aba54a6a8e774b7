using System.Net.Sockets;
using System.Text;
using Collab.Testing;

namespace Collab.Host.Tests.Channels;

/// <summary>Many who wait in long polls.</summary>
public sealed class IdlePollTests
{
    private const int Polls = 10_000;
    private const long MostBytesEach = 48 * 1024;

    [Fact]
    public async Task Ten_thousand_idle_long_polls_take_bounded_memory_and_are_all_answered()
    {
        using var folder = new TemporaryFolder();
        await using var host = await HostProcess.Launch(folder.Path).ReadyAsync();
        var address = new Uri(host.Url);
        using var http = new HttpClient();
        async Task PublishAsync(int number)
        {
            using var body = new StringContent($$"""{"event":"n","data":{{number}}}""", Encoding.UTF8, "application/json");
            (await http.PostAsync(new Uri(address, "/channels/c/messages"), body)).EnsureSuccessStatusCode();
        }

        await PublishAsync(1);
        var position = (await (await http.GetAsync(new Uri(address, "/channels/c/messages?wait=0"))).JsonAsync()).GetProperty("position").GetString();
        var request = Encoding.ASCII.GetBytes($"GET /channels/c/messages?wait=60&after={position} HTTP/1.1\r\nHost: {address.Authority}\r\n\r\n");

        var sockets = new Socket[Polls];
        using var watch = new MemoryWatch(host.Id);
        try
        {
            for (var i = 0; i < Polls; i++)
            {
                sockets[i] = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await sockets[i].ConnectAsync(address.Host, address.Port);
                await sockets[i].SendAsync(request);
            }

            // Long enough for each of them to be kept alive once.
            await Task.Delay(4000);
            var grown = watch.Stop();
            await PublishAsync(2);
            var buffer = new byte[4096];
            foreach (var socket in sockets)
            {
                var answer = new StringBuilder();
                while (!answer.ToString().Contains("\"recovered\":true}", StringComparison.Ordinal))
                {
                    var read = await socket.ReceiveAsync(buffer).WaitAsync(TimeSpan.FromSeconds(30));
                    Assert.NotEqual(0, read);
                    answer.Append(Encoding.UTF8.GetString(buffer, 0, read));
                }

                Assert.Contains("\"data\":2,", answer.ToString(), StringComparison.Ordinal);
            }

            Assert.InRange(grown / Polls, 0, MostBytesEach);
        }
        finally
        {
            foreach (var socket in sockets)
                socket?.Dispose();
        }
    }
}
