using System.Text;
using Collab.Protocol;

namespace Collab.Host.Tests.Security.Fuzzing;

/// <summary>
/// One who sends broken things as fast as the server takes them, one after the other. After each hub message he asks something harmless,
/// and so learns that the server has looked at it: it answers or closes the connection, and does neither only when it hangs.
/// </summary>
/// <param name="server">The server's address.</param>
/// <param name="token">What he signs in with.</param>
/// <param name="seed">What all that he sends follows from, whatever the server answers.</param>
/// <param name="tally">Where it is counted.</param>
/// <param name="samples">What is broken.</param>
internal sealed class Attacker(Uri server, string token, int seed, Tally tally, Samples samples) : IAsyncDisposable
{
    /// <summary>What is left behind on a connection ends with it at the latest after so many messages.</summary>
    private const int MessagesPerLine = 100;

    private static readonly (HubTransport Transport, bool MessagePack)[] Wires =
    [
        (HubTransport.WebSockets, false), (HubTransport.WebSockets, true), (HubTransport.WebSockets, false), (HubTransport.WebSockets, true),
        (HubTransport.ServerSentEvents, false), (HubTransport.LongPolling, false), (HubTransport.LongPolling, true),
    ];

    private readonly HttpClient _http = new() { Timeout = RawConnection.Patience };
    private readonly Dictionary<(HubTransport, bool), (HubLine Line, int Left)> _lines = [];
    private readonly Random _random = new(seed);
    private int _probes;

    /// <summary>Sends so many broken things.</summary>
    public async Task SendAsync(int count)
    {
        var messages = new BrokenMessages(_random, samples);
        var handshakes = new BrokenHandshakes(_random);
        var requests = new BrokenRequests(_random, token);
        var sockets = new BrokenWebSockets(_random);
        for (; count > 0; count--)
        {
            var wire = _random.Pick(Wires);
            var draw = _random.Next(100);
            var ends = true;
            var (group, broken) = draw switch
            {
                < 60 => ($"hub over {wire.Transport}, {(wire.MessagePack ? "MessagePack" : "JSON")}", messages.Next(wire.MessagePack)),
                < 68 => ($"handshake over {wire.Transport}", handshakes.Next(out ends)),
                < 90 => ("HTTP", requests.Next()),
                < 94 => ("WebSocket upgrade", sockets.NextUpgrade(HubContract.Path, $"Bearer {token}")),
                _ => ("WebSocket frames", sockets.NextFrames()),
            };
            try
            {
                await (draw switch
                {
                    < 60 => SendMessageAsync(wire, broken.Bytes),
                    < 68 => ShakeHandsAsync(wire.Transport, broken.Bytes, ends),
                    < 94 => RequestAsync(broken.Bytes),
                    _ => SendFramesAsync(broken.Bytes),
                }).WaitAsync(RawConnection.Patience);
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException(
                    $"Seed {seed}, {group}, {broken.Kind}: {exception.Message}\n{Convert.ToHexString(broken.Bytes.AsSpan(0, Math.Min(broken.Bytes.Length, 4_000)))}", exception);
            }

            // Counted when it was sent and the server has dealt with it.
            tally.Count(group, broken.Kind);
        }
    }

    /// <summary>Ends his connections.</summary>
    public async Task LeaveAsync()
    {
        foreach (var (line, _) in _lines.Values)
            await line.DisposeAsync();
        _lines.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await LeaveAsync();
        _http.Dispose();
    }

    private async Task SendMessageAsync((HubTransport, bool MessagePack) wire, byte[] bytes)
    {
        var (line, left) = _lines.Remove(wire, out var open) ? open : (await JoinAsync(wire), MessagesPerLine);
        var goesOn = await line.SendAsync(bytes);
        // The server waits for the rest of what is not whole; it will not come.
        if (goesOn && (wire.MessagePack ? HubMessage.EndsWhole(bytes) : bytes is [.., HubMessage.EndOfJson]))
            goesOn = await ProbeAsync(line, wire.MessagePack);
        else
            goesOn = false;
        if (goesOn && left > 1)
            _lines[wire] = (line, left - 1);
        else
            await line.DisposeAsync();
    }

    private async Task<HubLine> JoinAsync((HubTransport Transport, bool MessagePack) wire)
    {
        var line = await HubLine.OpenAsync(wire.Transport, _http, server, token);
        var protocol = wire.MessagePack ? "messagepack" : "json";
        await line.SendAsync([.. Encoding.ASCII.GetBytes($$"""{"protocol":"{{protocol}}","version":1}"""), HubMessage.EndOfJson]);
        if (!await line.ReadUntilAsync("{}"u8.ToArray()))
            throw new IOException("The hub takes no handshake.");
        foreach (var document in (string[])[BrokenMessages.Shared, "fuzz/0", "fuzz/1", "fuzz/2", "fuzz/3"])
            await line.SendAsync(HubMessage.Call("join", "JoinDocument", [document, new byte[] { 0 }]).Encode(wire.MessagePack));
        return await ProbeAsync(line, wire.MessagePack) ? line : throw new IOException("The hub ends a good connection.");
    }

    private async Task<bool> ProbeAsync(HubLine line, bool messagePack)
    {
        var id = $"probe-{_probes++}-";
        return await line.SendAsync(HubMessage.Call(id, "LeaveDocument", ["nowhere"]).Encode(messagePack))
            && await line.ReadUntilAsync(Encoding.ASCII.GetBytes(id));
    }

    private async Task ShakeHandsAsync(HubTransport transport, byte[] bytes, bool ends)
    {
        await using var line = await HubLine.OpenAsync(transport, _http, server, token);
        // Whatever the answer is: it is one message, or the end.
        if (await line.SendAsync(bytes) && ends)
            await line.ReadUntilAsync("}"u8.ToArray());
    }

    private async Task RequestAsync(byte[] bytes)
    {
        var answer = await RawConnection.ConverseAsync(server.Port, bytes);
        // 501 and 505 are about what was sent.
        if (answer.StartsWith("HTTP/1.1 500", StringComparison.Ordinal) || answer.StartsWith("HTTP/1.1 503", StringComparison.Ordinal))
            throw new IOException($"The server answered {answer}");
    }

    private async Task SendFramesAsync(byte[] bytes) => await RawConnection.ConverseAsync(
        server.Port, bytes, Encoding.ASCII.GetBytes(BrokenWebSockets.Upgrade(HubContract.Path, $"Bearer {token}")));
}
