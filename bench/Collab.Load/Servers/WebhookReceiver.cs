using System.Net;

namespace Collab.Load.Servers;

/// <summary>Takes the webhooks of the servers that post them, and counts them.</summary>
internal static class WebhookReceiver
{
    private const int Port = 7199;

    private static readonly Lazy<HttpListener> Listener = new(Listen);
    private static long _taken;

    /// <summary>Where it listens; it does from then on.</summary>
    public static string Url => Listener.Value.Prefixes.First();

    /// <summary>How many requests it has taken.</summary>
    public static long Taken => Interlocked.Read(ref _taken);

    private static HttpListener Listen()
    {
        var listener = new HttpListener();
        listener.Prefixes.Add($"http://127.0.0.1:{Port}/");
        listener.Start();
        _ = TakeAsync(listener);
        return listener;
    }

    private static async Task TakeAsync(HttpListener listener)
    {
        while (true)
        {
            var context = await listener.GetContextAsync();
            await context.Request.InputStream.CopyToAsync(Stream.Null);
            context.Response.StatusCode = 204;
            context.Response.Close();
            Interlocked.Increment(ref _taken);
        }
    }
}
