using System.Buffers;
using System.Text;
using Collab.Protocol;
using Collab.Server.Channels.Views;
using Collab.Server.Fanout;
using Collab.Server.Limits;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Collab.Server.Channels;

/// <summary>
/// Short and long polling. A long poll that has nothing to say for a while begins its answer with white space, which JSON allows and
/// proxies take for life.
/// </summary>
internal static class ChannelPolling
{
    private const int DefaultWaitSeconds = 25;
    private const int MaxWaitSeconds = 60;

    public static async Task<IResult> GetAsync(
        HttpContext context,
        ChannelService service,
        ConnectionCounts counts,
        IOptions<FanoutOptions> fanout,
        IHostApplicationLifetime lifetime,
        TimeProvider clock,
        string channel,
        string? after = null,
        double? wait = null,
        int? limit = null,
        string?[]? filter = null)
    {
        if (wait is < 0 or > MaxWaitSeconds or double.NaN)
            throw new CollabException(ErrorCodes.InvalidArgument, $"wait is 0 to {MaxWaitSeconds} seconds");
        context.Response.Headers.CacheControl = "private, no-cache";
        if (wait is not 0)
            lifetime.ThrowIfStopping();
        using var held = wait is 0 ? null : await counts.HoldAsync(context);
        var polling = new Waiting(
            context, clock, TimeSpan.FromSeconds(wait ?? DefaultWaitSeconds), fanout.Value.KeepAliveMilliseconds, lifetime.ApplicationStopping);
        var poll = await service.PollAsync(
            context.User, ChannelAddress.Of(ChannelEndpoints.NameOf(channel), filter ?? []), after, limit, polling.WaitAsync, context.RequestAborted);

        if (!context.Response.HasStarted)
        {
            if (poll.Tag is not null && IsKnown(context, new EntityTagHeaderValue($"\"{poll.Page.Epoch}-{poll.Page.Head}-{poll.Start}{poll.Tag}\"")))
                return TypedResults.StatusCode(StatusCodes.Status304NotModified);
            context.Response.ContentType = "application/json; charset=utf-8";
        }

        Write(context.Response, poll);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        return Results.Empty;
    }

    /// <summary>Tells the caller the tag of his answer.</summary>
    /// <returns>Whether he has that answer already.</returns>
    private static bool IsKnown(HttpContext context, EntityTagHeaderValue tag)
    {
        context.Response.GetTypedHeaders().ETag = tag;
        return context.Request.GetTypedHeaders().IfNoneMatch.Any(known => known.Compare(tag, useStrongComparison: false));
    }

    /// <summary>What is written.</summary>
    internal sealed record PolledMessages(IReadOnlyList<ChannelMessage> Messages, string Position, bool Recovered);

    /// <summary>Writes the whole answer, whose length is told when it can be: then it goes out in one piece.</summary>
    private static void Write(HttpResponse response, ChannelPoll poll)
    {
        var messages = poll.Page.Messages;
        var start = "{\"messages\":["u8;
        var position = new Position(poll.Page.Epoch, poll.Page.Through);
        var end = Encoding.UTF8.GetBytes($"],\"position\":\"{position}\",\"recovered\":{(poll.Recovered ? "true" : "false")}}}");
        if (!response.HasStarted)
            response.ContentLength = start.Length + messages.Sum(message => (long)message.Json.Length) + Math.Max(0, messages.Count - 1) + end.Length;

        var output = response.BodyWriter;
        output.Write(start);
        for (var i = 0; i < messages.Count; i++)
        {
            if (i > 0)
                output.Write(","u8);
            output.Write(messages[i].Json);
        }

        output.Write(end);
    }

    /// <summary>
    /// Waits until there may be something, as long as the caller wants and the server does not stop, and keeps his connection alive meanwhile.
    /// </summary>
    private sealed class Waiting(HttpContext context, TimeProvider clock, TimeSpan patience, int silence, CancellationToken stopping)
    {
        private readonly long _started = clock.GetTimestamp();

        public async Task<bool> WaitAsync(Task next)
        {
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            while (!next.IsCompleted)
            {
                var left = patience - clock.GetElapsedTime(_started);
                if (left <= TimeSpan.Zero)
                    return false;
                var keepAlive = TimeSpan.FromMilliseconds(silence);
                try
                {
                    await next.WaitAsync(left < keepAlive ? left : keepAlive, clock, ended.Token);
                }
                catch (TimeoutException)
                {
                    if (left > keepAlive)
                        await BreatheAsync();
                }
                catch (OperationCanceledException) when (stopping.IsCancellationRequested)
                {
                    return false;
                }
            }

            return true;
        }

        private async Task BreatheAsync()
        {
            if (!context.Response.HasStarted)
                context.Response.ContentType = "application/json; charset=utf-8";
            context.Response.BodyWriter.Write("\n"u8);
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        }
    }
}
