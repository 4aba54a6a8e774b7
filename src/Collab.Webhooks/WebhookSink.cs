using System.Globalization;
using System.Net;
using System.Text;
using Collab.Server.Events;

namespace Collab.Webhooks;

/// <summary>
/// Posts events one by one: CloudEvents 1.0 in JSON, with the headers and signatures of Standard Webhooks. Redirects are not followed; any answer of
/// 200 to 299 means that the event has arrived.
/// </summary>
internal sealed class WebhookSink : IEventSink, IDisposable
{
    private const int MaxAnswerBytes = 64 * 1024;

    private readonly Uri _url;
    private readonly WebhookKey[] _keys;
    private readonly HttpClient _http;
    private readonly TimeProvider _clock;

    public WebhookSink(WebhookOptions options, TimeProvider clock)
    {
        _url = new Uri(options.Url);
        _keys = [.. options.Keys.Select(key => WebhookKey.Parse(key)!)];
        _clock = clock;
        var addresses = new PublicAddresses(options.AllowedNetworks.Select(IPNetwork.Parse));
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            // A proxy would connect to what the check here does not see.
            UseProxy = false,
            ConnectCallback = addresses.ConnectAsync,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            MaxResponseHeadersLength = 64,
            MaxResponseDrainSize = MaxAnswerBytes,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _http.DefaultRequestHeaders.UserAgent.ParseAdd("Collab");
    }

    public int MaxBatch => 1;

    public async ValueTask<EventOutcome> SendAsync(IReadOnlyList<OutgoingEvent> events, CancellationToken cancellationToken)
    {
        var one = events[0];
        using var request = new HttpRequestMessage(HttpMethod.Post, _url) { Content = new ReadOnlyMemoryContent(one.Json) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/cloudevents+json; charset=utf-8");
        Sign(request, one);
        try
        {
            using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return OutcomeOf(answer);
        }
        catch (HttpRequestException exception)
        {
            return EventOutcome.Failed(exception.Message);
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        foreach (var key in _keys)
            key.Dispose();
    }

    private void Sign(HttpRequestMessage request, OutgoingEvent one)
    {
        var timestamp = _clock.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        byte[] content = [.. Encoding.UTF8.GetBytes($"{one.Id}.{timestamp}."), .. one.Json.Span];
        request.Headers.Add("webhook-id", one.Id);
        request.Headers.Add("webhook-timestamp", timestamp);
        request.Headers.Add("webhook-signature", string.Join(' ', _keys.Select(key => key.Sign(content))));
    }

    private EventOutcome OutcomeOf(HttpResponseMessage answer)
    {
        var reason = $"{(int)answer.StatusCode} {answer.ReasonPhrase}".TrimEnd();
        if (answer.IsSuccessStatusCode)
            return EventOutcome.Delivered;
        if (answer.StatusCode == HttpStatusCode.Gone)
            return EventOutcome.Gone(reason);
        var retry = answer.Headers.RetryAfter;
        var wait = retry?.Delta ?? (retry?.Date - _clock.GetUtcNow());
        return EventOutcome.Failed(reason, wait > TimeSpan.Zero ? wait : null);
    }
}
