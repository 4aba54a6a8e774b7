using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Collab.Testing.Readers;

/// <summary>What members over server-sent events and long polling share: negotiation, and sending by POST.</summary>
public abstract class HttpBurstReader(Uri hub) : BurstReader(hub)
{
    private Uri? _connection;

    protected HttpClient Http { get; } = new(new SocketsHttpHandler { MaxResponseDrainSize = 0 }) { Timeout = Timeout.InfiniteTimeSpan };

    protected Uri Connection => _connection!;

    protected override async Task ConnectAsync()
    {
        using var answer = await Http.PostAsync(new Uri($"{Hub}/negotiate?negotiateVersion=1"), null, Stopping);
        var negotiated = await answer.Content.ReadFromJsonAsync<JsonElement>(Stopping);
        _connection = new Uri($"{Hub}?id={Uri.EscapeDataString(negotiated.GetProperty("connectionToken").GetString()!)}");
    }

    protected override async Task SendAsync(string message)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(message));
        using var answer = await Http.PostAsync(Connection, content, Stopping);
        answer.EnsureSuccessStatusCode();
    }

    protected override ValueTask CloseAsync()
    {
        Http.Dispose();
        return default;
    }
}

/// <summary>A member over server-sent events.</summary>
public sealed class ServerSentEventsBurstReader(Uri hub) : HttpBurstReader(hub)
{
    private HttpResponseMessage? _response;
    private Stream? _events;

    protected override async Task ConnectAsync()
    {
        await base.ConnectAsync();
        var request = new HttpRequestMessage(HttpMethod.Get, Connection);
        request.Headers.Accept.ParseAdd("text/event-stream");
        _response = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stopping);
        _events = await _response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync(Stopping);
    }

    protected override ValueTask<int> ReadAsync(Memory<byte> buffer) => _events!.ReadAsync(buffer, Stopping);

    protected override ValueTask CloseAsync()
    {
        _response?.Dispose();
        return base.CloseAsync();
    }
}

/// <summary>A member who polls, each poll waiting for news.</summary>
public sealed class LongPollingBurstReader(Uri hub) : HttpBurstReader(hub)
{
    private HttpResponseMessage? _response;
    private Stream? _poll;

    protected override async Task ConnectAsync()
    {
        await base.ConnectAsync();

        // The first poll only opens the connection.
        using var opened = await Http.GetAsync(Connection, Stopping);
        opened.EnsureSuccessStatusCode();
    }

    protected override async ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        while (true)
        {
            if (_poll is null)
            {
                _response = await Http.GetAsync(Connection, HttpCompletionOption.ResponseHeadersRead, Stopping);
                if (_response.StatusCode is not System.Net.HttpStatusCode.OK)
                    return 0;
                _poll = await _response.Content.ReadAsStreamAsync(Stopping);
            }

            var read = await _poll.ReadAsync(buffer, Stopping);
            if (read > 0)
                return read;
            _response!.Dispose();
            _poll = null;
        }
    }

    protected override ValueTask CloseAsync()
    {
        _response?.Dispose();
        return base.CloseAsync();
    }
}
