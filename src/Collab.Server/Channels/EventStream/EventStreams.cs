using Collab.Protocol;
using Collab.Server.Channels.Views;
using Collab.Server.Fanout;
using Collab.Server.Limits;
using Collab.Server.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Collab.Server.Channels.EventStream;

/// <summary>Serves channels to a browser's own EventSource.</summary>
internal sealed class EventStreams(
    ChannelService service,
    CollabLifetimeManager lifetimes,
    Connections connections,
    ConnectionCounts counts,
    IOptions<ChannelOptions> options,
    IOptions<FanoutOptions> fanout,
    TimeProvider clock)
{
    /// <summary>The most channels of one stream.</summary>
    public const int MaxChannels = 64;

    /// <summary>Streams channels until the client or the server ends it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="channels">Which channels, each once; a filter may follow a name (<see cref="ChannelAddress"/>).</param>
    /// <param name="lastId">The id that the client has seen last, or null: for several channels their positions with commas between.</param>
    /// <param name="rewind">The last so many messages of each, where there is no position.</param>
    public async Task<IResult> StreamAsync(HttpContext context, IReadOnlyList<string> channels, string? lastId, int? rewind)
    {
        if (lastId == EventStreamConnection.Over)
            return TypedResults.NoContent();
        var addresses = new ChannelAddress[channels.Count];
        for (var i = 0; i < addresses.Length; i++)
            addresses[i] = await service.CheckMayReadAsync(context.User, channels[i]);
        var after = Positions(lastId, channels.Count);
        foreach (var position in after)
            ChannelService.CheckStart(position, rewind);

        using var held = await counts.HoldAsync(context);
        var userId = SubjectUserIdProvider.IdOf(context.User);
        var caller = new Caller(Guid.NewGuid().ToString("N"), SignIn.Of(context), userId);
        using var connection = new EventStreamConnection(context, caller.ConnectionId, userId, channels);
        await lifetimes.AddAsync(connection);
        try
        {
            connections.Begin(caller, token: null, context.Request.Query[Connections.SessionParameter], string.Join(' ', channels));
            await RunAsync(context.Response, connection, caller, addresses, after, rewind);
        }
        catch (OperationCanceledException) when (connection.ConnectionAborted.IsCancellationRequested)
        {
            // It is over.
        }
        finally
        {
            await connections.EndAsync(caller.ConnectionId);
            await lifetimes.RemoveAsync(connection.ConnectionId);
        }

        return Results.Empty;
    }

    private async Task RunAsync(
        HttpResponse response, EventStreamConnection connection, Caller caller, ChannelAddress[] channels, string?[] after, int? rewind)
    {
        var asked = service.RightsVersion;
        var memberships = new Membership[channels.Length];
        var starts = new (string Channel, ChannelStart Start)[channels.Length];
        for (var i = 0; i < memberships.Length; i++)
        {
            (var view, memberships[i]) = await service.EnterAsync(caller, channels[i], connection.ConnectionAborted);
            var (position, last) = ChannelService.CheckStart(after[i], rewind);
            starts[i] = (channels[i].Text, await view.StartAsync(
                position, last, ChannelService.MaxMessages, ChannelService.MaxAnswerBytes, connection.ConnectionAborted));
        }

        Begin(response);
        await connection.StartAsync(options.Value.RetryMilliseconds, starts);
        for (var i = 0; i < memberships.Length; i++)
        {
            var page = starts[i].Start.Page;
            lifetimes.Follow(connection.ConnectionId, memberships[i], page.Through, page.Head);
        }

        if (service.RightsVersion != asked)
        {
            foreach (var channel in channels)
                await service.ReviewAsync(caller, channel.Text);
        }

        await KeepAliveAsync(connection);
    }

    private static void Begin(HttpResponse response)
    {
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache, no-transform";
        response.Headers[HeaderNames.Vary] = "Accept";
        response.HttpContext.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
    }

    /// <summary>Writes something now and then until the stream ends.</summary>
    private async Task KeepAliveAsync(EventStreamConnection connection)
    {
        var silence = fanout.Value.KeepAliveMilliseconds;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(silence / 4.0), clock);
        while (await timer.WaitForNextTickAsync(connection.ConnectionAborted))
            await connection.KeepAliveAsync(silence * 3 / 4);
    }

    private static string?[] Positions(string? lastId, int channels)
    {
        if (string.IsNullOrEmpty(lastId))
            return new string?[channels];
        var positions = lastId.Split(',');
        return positions.Length == channels
            ? positions
            : throw new CollabException(ErrorCodes.InvalidPosition, "give one position for each channel, in the same order, with commas between");
    }
}
