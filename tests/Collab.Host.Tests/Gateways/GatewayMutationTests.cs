using System.Net;
using System.Net.WebSockets;
using Collab.Crdt;
using Collab.Testing;

namespace Collab.Host.Tests.Gateways;

/// <summary>
/// Messages of the Yjs protocols with something changed in each: they are taken, or end the document or the connection with a code, and nobody
/// else notices. <c>COLLAB_LONG=1</c> sends 100,000 of each protocol.
/// </summary>
public sealed class GatewayMutationTests
{
    private static readonly int Inputs = Environment.GetEnvironmentVariable("COLLAB_LONG") == "1" ? 100_000 : 4_000;

    private const byte QueryAwareness = 3;
    private const byte Close = 7;

    [Theory]
    [InlineData("/yjs/broken", new byte[0], 4400)]
    [InlineData("/hocuspocus", new byte[] { 6, (byte)'b', (byte)'r', (byte)'o', (byte)'k', (byte)'e', (byte)'n' }, 4205)]
    public async Task Broken_messages_are_refused_and_nobody_else_notices(string path, byte[] address, int malformed)
    {
        using var folder = new TemporaryFolder();
        await using var host = await HostProcess.Launch(folder.Path, settings: [("Collab__Documents__UpdatesPerSecond", "0"), ("Collab__Documents__AwarenessPerSecond", "0")]).ReadyAsync();
        var witness = await host.ConnectAsync();
        await witness.JoinAsync("witness");
        var typist = new Typist(4_000_000_000);
        var random = new Random(1);
        var samples = Samples();
        var (taken, codes) = (0, new Dictionary<int, int>());

        ClientWebSocket? socket = null;
        for (var i = 0; i < Inputs; i++)
        {
            socket ??= await ConnectAsync(host, path, address);
            var mutated = Mutate([.. address, .. samples[random.Next(samples.Length)]], random);
            if (await TryAsync(socket, mutated, address) is not { } code)
            {
                taken++;
                continue;
            }

            codes[code] = codes.GetValueOrDefault(code) + 1;
            socket.Dispose();
            socket = null;
            if (i % 50 == 0)
                await witness.PushAsync("witness", typist.Type("w"));
        }

        socket?.Dispose();
        Assert.InRange(taken, 1, Inputs);
        Assert.All(codes.Keys, code => Assert.Contains(code, (int[])[malformed, 1009, Close]));
        Assert.False(witness.IsClosed);
        await witness.PushAsync("witness", typist.Type("end"));
        using var doc = new Doc();
        doc.ApplyV1((await (await host.ConnectAsync()).JoinAsync("witness")).Update);
        Assert.Contains("wend", doc.GetText("t").ToString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await host.HealthAsync("ready"));
        Assert.DoesNotContain(host.Lines, line => line.StartsWith("fail:", StringComparison.Ordinal) || line.StartsWith("crit:", StringComparison.Ordinal));
    }

    private static byte[][] Samples()
    {
        var typist = new Typist(7);
        byte[] first = typist.Type("hello"), second = typist.Type(" world");
        var awareness = AwarenessUpdate.Encode([new AwarenessState(7, 1, "{\"name\":\"mallory\"}"u8.ToArray())]);
        return
        [
            [0, 0, 1, 0],
            [0, 1, (byte)first.Length, .. first],
            [0, 2, (byte)second.Length, .. second],
            [1, (byte)awareness.Length, .. awareness],
            [2, 0, 4, .. "none"u8, 5, .. "4.8.0"u8],
            [5, 2, .. "{}"u8],
            [102, 1, 5],
        ];
    }

    private static byte[] Mutate(byte[] sample, Random random)
    {
        var bytes = sample.ToList();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes.Insert(at, (byte)random.Next(256));
                    break;
                default:
                    bytes.RemoveRange(at, random.Next(1, bytes.Count - at + 1));
                    break;
            }

            if (bytes.Count == 0)
                bytes.Add((byte)random.Next(256));
        }

        return [.. bytes];
    }

    private static async Task<ClientWebSocket> ConnectAsync(HostProcess host, string path, byte[] address)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri(host.Url.Replace("http", "ws", StringComparison.Ordinal) + path), default);
        // Hocuspocus' clients sign in first, guests with an empty token.
        if (address.Length > 0)
            await socket.SendAsync((byte[])[.. address, 2, 0, 0], WebSocketMessageType.Binary, true, default);
        return socket;
    }

    /// <returns>The code with which the connection was closed, or that the document was; null when it goes on.</returns>
    private static async Task<int?> TryAsync(ClientWebSocket socket, byte[] message, byte[] address)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await socket.SendAsync(message, WebSocketMessageType.Binary, true, patience.Token);
        await socket.SendAsync((byte[])[.. address, QueryAwareness], WebSocketMessageType.Binary, true, patience.Token);
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var read = await socket.ReceiveAsync(buffer, patience.Token);
            if (read.MessageType is WebSocketMessageType.Close)
                return (int)read.CloseStatus!.Value;
            if (!read.EndOfMessage || !buffer.AsSpan(0, read.Count).StartsWith(address))
                continue;
            switch (buffer[address.Length])
            {
                case 1:
                    // All states, the answer to the question; an echo of the message's own may come before it, which only ends the wait early.
                    return null;
                case Close when address.Length > 0:
                    return Close;
            }
        }
    }
}
