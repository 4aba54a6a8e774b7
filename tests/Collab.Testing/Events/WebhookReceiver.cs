using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Collab.Testing.Events;

/// <summary>A request as a receiver got it.</summary>
/// <param name="Path">Where it was posted to.</param>
/// <param name="Headers">The headers whose names begin with <c>webhook-</c>, and the content type.</param>
/// <param name="Body">The body.</param>
/// <param name="Status">What it was answered.</param>
public sealed record ReceivedRequest(string Path, IReadOnlyDictionary<string, string> Headers, string Body, int Status)
{
    /// <summary>The header <c>webhook-id</c>.</summary>
    public string Id => Headers["webhook-id"];

    /// <summary>The event.</summary>
    public JsonElement Event => JsonElement.Parse(Body);

    /// <summary>The channel that the event is about.</summary>
    public string Channel => Event.GetProperty("data").GetProperty("channel").GetString()!;

    /// <summary>The data of the messages that the event tells of, which are numbers.</summary>
    public IEnumerable<int> Numbers => Event.GetProperty("data").GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("data").GetInt32());

    /// <summary>The first of them.</summary>
    public int Number => Event.GetProperty("data").GetProperty("messages")[0].GetProperty("data").GetInt32();
}

/// <summary>A web server that webhooks are posted to, and that answers as the test says.</summary>
public sealed class WebhookReceiver : IAsyncDisposable
{
    private WebApplication? _app;
    private string _url = "http://127.0.0.1:0";

    /// <summary>All requests, also those that it did not take.</summary>
    public ConcurrentQueue<ReceivedRequest> Requests { get; } = new();

    /// <summary>What is answered; it may write headers, and wait.</summary>
    public Func<HttpContext, Task<int>> Answer { get; set; } = _ => Task.FromResult(StatusCodes.Status204NoContent);

    /// <summary>Where webhooks are posted to.</summary>
    public string Url => _url + "/hook";

    /// <summary>The requests that it took, in order.</summary>
    public IEnumerable<ReceivedRequest> Taken => Requests.Where(request => request.Status is >= 200 and < 300);

    /// <summary>Starts it.</summary>
    public static async Task<WebhookReceiver> StartAsync()
    {
        var receiver = new WebhookReceiver();
        await receiver.ListenAsync();
        return receiver;
    }

    /// <summary>Listens, again at the same address when it was stopped.</summary>
    public async Task ListenAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseUrls(_url);
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.MapFallback(TakeAsync);
        await _app.StartAsync();
        _url = _app.Urls.First();
    }

    /// <summary>Refuses connections until <see cref="ListenAsync"/>.</summary>
    public async Task StopAsync()
    {
        await _app!.DisposeAsync();
        _app = null;
    }

    /// <summary>Waits until it has taken so many.</summary>
    public async Task UntilTakenAsync(int count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (Taken.Count() < count)
            await Task.Delay(10, patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
            await _app.DisposeAsync();
    }

    private async Task TakeAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync();
        var headers = context.Request.Headers
            .Where(header => header.Key.StartsWith("webhook-", StringComparison.OrdinalIgnoreCase) || header.Key == "Content-Type")
            .ToDictionary(header => header.Key.ToLowerInvariant(), header => header.Value.ToString());
        context.Response.StatusCode = await Answer(context);
        Requests.Enqueue(new ReceivedRequest(context.Request.Path, headers, body, context.Response.StatusCode));
    }
}
