using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;

namespace Collab.Client;

/// <summary>Renews the token of an open connection again and again before it expires. See "Tokens" in <c>docs/protocol.md</c>.</summary>
internal sealed class TokenRenewal
{
    // How long before its end a token is renewed; one with a short life after four fifths of it.
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);
    // The longest wait that timers know is 49 days.
    private static readonly TimeSpan MaxWait = TimeSpan.FromDays(20);

    private readonly Uri _refresh;
    private readonly Func<CancellationToken, Task<string>> _factory;
    private readonly Func<HttpMessageHandler, HttpMessageHandler>? _wrap;

    /// <param name="hub">The hub's address.</param>
    /// <param name="session">The name under which connections are opened.</param>
    public TokenRenewal(Uri hub, string session, CollabConnectionOptions options)
    {
        _refresh = new Uri($"{hub.GetLeftPart(UriPartial.Path).TrimEnd('/')}/refresh?session={session}");
        _factory = options.AccessTokenFactory!;
        _wrap = options.HttpMessageHandlerFactory;
    }

    /// <summary>Keeps the open connection's token fresh until cancelled.</summary>
    /// <param name="renewed">Called after each renewal, as rights may have changed.</param>
    /// <exception cref="CollabException"><c>unauthorized</c>: a renewal is refused, and the connection ends with the present token.</exception>
    public async Task KeepAsync(Action renewed, CancellationToken cancellationToken)
    {
        var handler = new HttpClientHandler();
        using var http = new HttpClient(_wrap?.Invoke(handler) ?? handler);
        // The first one says how long the token is good for.
        var left = await RenewAsync(http, TimeSpan.MaxValue, cancellationToken);
        while (left is { } lifetime)
        {
            var ahead = lifetime / 5 < Ahead ? lifetime / 5 : Ahead;
            await Task.Delay(lifetime - ahead < MaxWait ? lifetime - ahead : MaxWait, cancellationToken);
            left = await RenewAsync(http, ahead, cancellationToken);
            renewed();
        }
    }

    /// <returns>How long the new token is good for; null when it does not expire, or when nobody says so.</returns>
    private async Task<TimeSpan?> RenewAsync(HttpClient http, TimeSpan patience, CancellationToken cancellationToken)
    {
        for (var started = TimeProvider.System.GetTimestamp(); ; await Task.Delay(RetryAfter, cancellationToken))
        {
            var token = await FetchAsync(cancellationToken);
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, _refresh) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token) } };
                using var answer = await http.SendAsync(request, cancellationToken);
                if (answer.IsSuccessStatusCode)
                {
                    var lifetime = await answer.Content.ReadFromJsonAsync(ContractJson.Default.TokenLifetime, cancellationToken);
                    return lifetime?.TokenLifetimeSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
                }
                // A connection that has gone meanwhile is followed by one with a token of its own.
                if (answer.StatusCode == HttpStatusCode.NotFound)
                    return null;
                if (answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
                    throw new CollabException(ClientErrorCodes.Unauthorized, $"A newer token was refused with {(int)answer.StatusCode}.");
            }
            catch (HttpRequestException) when (TimeProvider.System.GetElapsedTime(started) < patience)
            {
                // It is tried again while the present token lasts.
            }
        }
    }

    private async Task<string> FetchAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await TokenException.FetchAsync(_factory, cancellationToken);
        }
        catch (TokenException exception)
        {
            throw new CollabException(ClientErrorCodes.Unauthorized, exception.Message, exception);
        }
    }
}
