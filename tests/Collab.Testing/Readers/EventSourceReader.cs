using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace Collab.Testing;

/// <summary>
/// Reads an event stream as a browser's EventSource does (HTML Living Standard, 9.2): parses, remembers the last id, waits as
/// <c>retry:</c> says after a cut and comes back with <c>Last-Event-ID</c>; ends for good on any other status than 200.
/// </summary>
public sealed class EventSourceReader : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan };
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<string> _url;
    private readonly string _authorization;
    private readonly SemaphoreSlim _news = new(0);
    private readonly Task _reading;
    private CancellationTokenSource _cut = new();

    /// <summary>Opens the stream.</summary>
    /// <param name="url">Asked for at each connection.</param>
    /// <param name="authorization">The header <c>Authorization</c>; empty for none.</param>
    public EventSourceReader(Func<string> url, string authorization)
    {
        (_url, _authorization) = (url, authorization);
        _reading = RunAsync();
    }

    /// <summary>What was dispatched: id, event, data.</summary>
    public ConcurrentQueue<(string Id, string Event, string Data)> Events { get; } = new();

    /// <summary>The header of each request.</summary>
    public ConcurrentQueue<string> LastIds { get; } = new();

    /// <summary>The lines that came, comments too.</summary>
    public ConcurrentQueue<string> Lines { get; } = new();

    public string LastId { get; private set; } = "";

    public int Opened { get; private set; }

    /// <summary>Why it ended for good; null while it goes on.</summary>
    public HttpStatusCode? EndedBy { get; private set; }

    public int RetryMilliseconds { get; private set; } = 3000;

    public HttpResponseMessage? Response { get; private set; }

    /// <summary>Cuts the connection, as a network does.</summary>
    public void Cut() => _cut.Cancel();

    /// <summary>Waits until what was received satisfies a condition.</summary>
    public async Task UntilAsync(Func<EventSourceReader, bool> condition)
    {
        var deadline = DateTime.UtcNow + Patience;
        while (!condition(this))
        {
            if (!await _news.WaitAsync(deadline - DateTime.UtcNow is { Ticks: > 0 } left ? left : TimeSpan.Zero) && !condition(this))
                throw new TimeoutException($"It did not happen within {Patience.TotalSeconds} s; {Events.Count} events came, the last id is {LastId}.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reading;
        _http.Dispose();
        _stop.Dispose();
        _cut.Dispose();
        _news.Dispose();
    }

    private async Task RunAsync()
    {
        await Task.Yield();
        while (!_stop.IsCancellationRequested && EndedBy is null)
        {
            try
            {
                _cut = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                await ReadAsync(_cut.Token);
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
            {
                // Cut: come back.
            }

            if (!_stop.IsCancellationRequested && EndedBy is null)
                await Task.WhenAny(Task.Delay(RetryMilliseconds), Task.Delay(-1, _stop.Token));
        }
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_url()));
        if (_authorization.Length > 0)
            request.Headers.TryAddWithoutValidation("Authorization", _authorization);
        request.Headers.TryAddWithoutValidation("Accept", "text/event-stream");
        if (LastId.Length > 0)
            request.Headers.TryAddWithoutValidation("Last-Event-ID", LastId);
        LastIds.Enqueue(LastId);
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        // A proxy in front of a server that restarts answers 502; a browser would give up there, a page would make a new one.
        if (response.StatusCode is HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout)
            return;
        Response = response;
        if (response.StatusCode != HttpStatusCode.OK)
        {
            EndedBy = response.StatusCode;
            _news.Release();
            return;
        }

        Opened++;
        _news.Release();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken), Encoding.UTF8);
        var (id, name, data) = (LastId, "", new StringBuilder());
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            Lines.Enqueue(line);
            if (line.Length == 0)
            {
                LastId = id;
                if (data.Length > 0)
                    Events.Enqueue((id, name.Length > 0 ? name : "message", data.ToString(0, data.Length - 1)));
                (name, data) = ("", new StringBuilder());
                _news.Release();
                continue;
            }

            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var field = colon < 0 ? line : line[..colon];
            var value = colon < 0 ? "" : line[(colon + 1)..];
            value = value.StartsWith(' ') ? value[1..] : value;
            switch (field)
            {
                case "event":
                    name = value;
                    break;
                case "data":
                    data.Append(value).Append('\n');
                    break;
                case "id" when !value.Contains('\0', StringComparison.Ordinal):
                    id = value;
                    break;
                case "retry" when int.TryParse(value, out var retry):
                    RetryMilliseconds = retry;
                    break;
            }
        }
    }
}
