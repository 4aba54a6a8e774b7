using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Collab.Protocol;

namespace Collab.Host.Tests.Security.Fuzzing;

/// <summary>A connection to the hub over which whatever bytes are sent, and whose answers are only searched.</summary>
internal abstract class HubLine : IAsyncDisposable
{
    /// <summary>Sends bytes as one message of the transport.</summary>
    /// <returns>False when the server has closed the connection.</returns>
    public abstract Task<bool> SendAsync(byte[] bytes);

    /// <summary>Reads until something comes that holds the mark.</summary>
    /// <returns>False when the server has closed the connection before.</returns>
    public abstract Task<bool> ReadUntilAsync(byte[] mark);

    /// <summary>Ends the connection in the transport's way, and waits until the server has ended it too.</summary>
    public abstract ValueTask DisposeAsync();

    /// <summary>Opens the transport, without a word of the hub's protocol.</summary>
    public static async Task<HubLine> OpenAsync(HubTransport transport, HttpClient http, Uri server, string token) => transport switch
    {
        HubTransport.WebSockets => await SocketLine.OpenAsync(server.Port, token),
        HubTransport.ServerSentEvents => await EventLine.OpenAsync(http, server, token),
        _ => await PollLine.OpenAsync(http, server, token),
    };
}

/// <summary>SignalR's transports.</summary>
internal enum HubTransport
{
    WebSockets,
    ServerSentEvents,
    LongPolling,
}

/// <summary>Over a WebSocket whose frames are written by hand.</summary>
internal sealed class SocketLine(RawConnection connection) : HubLine
{
    private const int Close = 8;

    public static async Task<HubLine> OpenAsync(int port, string token)
    {
        var connection = await RawConnection.OpenAsync(port);
        await connection.WriteAsync(Encoding.ASCII.GetBytes(BrokenWebSockets.Upgrade(HubContract.Path, $"Bearer {token}")));
        var head = await connection.ReadHeadAsync();
        return head.StartsWith("HTTP/1.1 101 ", StringComparison.Ordinal) ? new SocketLine(connection) : throw new IOException($"No WebSocket: {head}");
    }

    // The server does not care whether a frame says text or binary.
    public override Task<bool> SendAsync(byte[] bytes) => connection.WriteAsync(BrokenWebSockets.Frame(2, bytes));

    public override async Task<bool> ReadUntilAsync(byte[] mark)
    {
        while (await connection.ReadFrameAsync() is { Opcode: not Close } frame)
        {
            if (frame.Payload.AsSpan().IndexOf(mark) >= 0)
                return true;
        }

        return false;
    }

    public override async ValueTask DisposeAsync()
    {
        connection.EndWriting();
        await connection.ReadToEndAsync();
        connection.Dispose();
    }
}

/// <summary>What server-sent events and long polling have in common: a negotiation, and a request for each message.</summary>
internal abstract class PostLine(HttpClient http, Uri address, string token) : HubLine
{
    public override async Task<bool> SendAsync(byte[] bytes)
    {
        using var content = new ByteArrayContent(bytes);
        using var answer = await AskAsync(HttpMethod.Post, content: content);
        return IsThere(answer.StatusCode);
    }

    protected Task<HttpResponseMessage> AskAsync(HttpMethod method, string? accept = null, HttpContent? content = null) =>
        AskAsync(http, method, address, token, accept, content);

    protected static bool IsThere(HttpStatusCode status) => status switch
    {
        HttpStatusCode.OK or HttpStatusCode.Accepted => true,
        HttpStatusCode.NoContent or HttpStatusCode.NotFound => false,
        _ => throw new IOException($"The hub answered {(int)status} to a message."),
    };

    protected static async Task<Uri> NegotiateAsync(HttpClient http, Uri server, string token)
    {
        using var answer = await AskAsync(http, HttpMethod.Post, new Uri(server, HubContract.Path + "/negotiate?negotiateVersion=1"), token, null, null);
        using var json = JsonDocument.Parse(await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync());
        return new Uri(server, $"{HubContract.Path}?id={json.RootElement.GetProperty("connectionToken").GetString()}");
    }

    private static Task<HttpResponseMessage> AskAsync(
        HttpClient http, HttpMethod method, Uri address, string token, string? accept, HttpContent? content)
    {
        var request = new HttpRequestMessage(method, address) { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (accept is not null)
            request.Headers.Accept.ParseAdd(accept);
        return http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }
}

/// <summary>Over server-sent events.</summary>
internal sealed class EventLine(HttpClient http, Uri address, string token) : PostLine(http, address, token)
{
    private HttpResponseMessage? _answer;
    private StreamReader? _events;

    public static async Task<HubLine> OpenAsync(HttpClient http, Uri server, string token)
    {
        var line = new EventLine(http, await NegotiateAsync(http, server, token), token);
        line._answer = await line.AskAsync(HttpMethod.Get, "text/event-stream");
        line._events = new StreamReader(await line._answer.EnsureSuccessStatusCode().Content.ReadAsStreamAsync());
        return line;
    }

    public override async Task<bool> ReadUntilAsync(byte[] mark)
    {
        var text = Encoding.ASCII.GetString(mark);
        try
        {
            while (await _events!.ReadLineAsync().WaitAsync(RawConnection.Patience) is { } line)
            {
                if (line.Contains(text, StringComparison.Ordinal))
                    return true;
            }
        }
        catch (IOException)
        {
            // Broken off, which is an end too.
        }

        return false;
    }

    public override async ValueTask DisposeAsync()
    {
        (await AskAsync(HttpMethod.Delete)).Dispose();
        _events?.Dispose();
        _answer?.Dispose();
    }
}

/// <summary>Over long polling.</summary>
internal sealed class PollLine(HttpClient http, Uri address, string token) : PostLine(http, address, token)
{
    public static async Task<HubLine> OpenAsync(HttpClient http, Uri server, string token)
    {
        var line = new PollLine(http, await NegotiateAsync(http, server, token), token);
        // The first poll opens the transport and is answered at once.
        (await line.AskAsync(HttpMethod.Get)).EnsureSuccessStatusCode().Dispose();
        return line;
    }

    public override async Task<bool> ReadUntilAsync(byte[] mark)
    {
        for (var deadline = DateTime.UtcNow + RawConnection.Patience; DateTime.UtcNow < deadline;)
        {
            using var answer = await AskAsync(HttpMethod.Get);
            if (!IsThere(answer.StatusCode))
                return false;
            if ((await answer.Content.ReadAsByteArrayAsync()).AsSpan().IndexOf(mark) >= 0)
                return true;
        }

        throw new TimeoutException("The hub does not answer any more.");
    }

    public override async ValueTask DisposeAsync() => (await AskAsync(HttpMethod.Delete)).Dispose();
}
