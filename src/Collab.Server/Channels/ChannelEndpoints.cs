using System.Security.Claims;
using System.Text.Json;
using Collab.Protocol;
using Collab.Server.Channels.EventStream;
using Collab.Server.Channels.Views;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace Collab.Server.Channels;

/// <summary>Channels over plain HTTP: publishing, polling, event streams, members.</summary>
internal static class ChannelEndpoints
{
    private const string LastEventId = "Last-Event-ID";
    private const int MaxBodyBytes = 8 * 1024 * 1024;
    private const string Filtered = " With `filter` only those messages whose data satisfy it, such as `room_id=eq.7`; of several filters all must hold. "
        + "Operators: eq, neq, lt, lte, gt, gte, in, is.";

    /// <summary>Maps <c>/channels/{channel}/messages</c>, <c>/events</c>, <c>/members</c>, and <c>/events</c> for several channels.</summary>
    public static void MapChannels(this IEndpointRouteBuilder endpoints)
    {
        var channel = endpoints.MapGroup("/channels/{channel}").WithTags("Channels").RequireAuthorization();
        channel.AddEndpointFilter<CollabProblemFilter>();
        channel.MapPost("/messages", PublishAsync)
            .WithSummary("Publishes one message, or a list of them, all or none")
            .WithDescription("Durable when answered. The header `Idempotency-Key` (1 to 128 characters) publishes once: a repeat gets the first "
                + "position; of a list it is the beginning of each message's key. The body of a list is a JSON array; its answer has `positions` too.")
            .Accepts<PublishedMessage>("application/json")
            .Produces<Published>()
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
            .Produces(StatusCodes.Status415UnsupportedMediaType)
            .RefusesAsUsual();
        channel.MapGet("/messages", ChannelPolling.GetAsync)
            .WithoutProxyBuffering()
            .WithSummary("Reads messages: short polling with wait=0, else long polling")
            .WithDescription("What follows the position `after`, or without it the newest. When there is nothing it waits up to `wait` seconds "
                + "(25; at most 60) for something. Go on with the answer's `position`. `recovered` is false when messages in between are lost. "
                + "With `If-None-Match` an answer that would be the same is 304." + Filtered)
            .Produces<ChannelPolling.PolledMessages>()
            .Produces(StatusCodes.Status304NotModified)
            .RefusesAsUsual();
        channel.MapGet("/members", GetMembersAsync).WithSummary("Tells who is present").Produces<ChannelMembers>().RefusesAsUsual();
        channel.MapGet("/events", StreamAsync)
            .WithSummary("Follows the channel with a browser's EventSource")
            .WithDescription("Each message is an event with its name, its position as id, and the message as JSON. Begins after `Last-Event-ID`, "
                + "else after `after`, else with the last `rewind` messages. The event `collab:gap` tells that messages in between are lost." + Filtered)
            .StreamsEvents();
        endpoints.MapGet("/events", StreamSeveralAsync)
            .WithTags("Channels")
            .RequireAuthorization()
            .AddEndpointFilter<CollabProblemFilter>()
            .WithSummary("Follows several channels over one EventSource")
            .WithDescription($"As for one channel; 1 to {EventStreams.MaxChannels} of them. Each event's data has its `channel`; ids are the positions of all of them. "
                + "A channel may have a filter: `channel=news%3Fcity%3Deq.Oslo`.")
            .StreamsEvents();
    }

    private static void StreamsEvents(this RouteHandlerBuilder endpoint) => endpoint
        .WithoutProxyBuffering()
        .Produces<string>(StatusCodes.Status200OK, "text/event-stream")
        .Produces(StatusCodes.Status204NoContent)
        .RefusesAsUsual();

    /// <summary>A name is one segment of the path, in which <c>%2F</c> is not decoded; no name has a percent sign.</summary>
    public static string NameOf(string segment) => segment.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    private static async Task<IResult> PublishAsync(
        HttpContext context,
        ChannelService service,
        string channel,
        [FromHeader(Name = "Idempotency-Key")] string? idempotencyKey = null)
    {
        // Routing has refused other types; this is for none.
        if (!context.Request.HasJsonContentType())
            return CollabProblemFilter.Problem(ErrorCodes.InvalidMessage, "a message is application/json", StatusCodes.Status415UnsupportedMediaType);
        var (messages, isBatch) = await ReadAsync(context, string.IsNullOrEmpty(idempotencyKey) ? null : idempotencyKey);
        var positions = await service.PublishAsync(Caller.Of(context), NameOf(channel), messages);
        return isBatch
            ? TypedResults.Ok(new PublishedBatch([.. positions.Select(position => position.ToString())], positions[^1].ToString()))
            : TypedResults.Ok(new Published(positions[0].ToString()));
    }

    private static async Task<IResult> GetMembersAsync(ChannelService service, ClaimsPrincipal user, string channel) =>
        TypedResults.Ok(new ChannelMembers(await service.GetMembersAsync(user, NameOf(channel))));

    private static Task<IResult> StreamAsync(
        HttpContext context,
        EventStreams streams,
        string channel,
        [FromHeader(Name = LastEventId)] string? lastEventId = null,
        string? after = null,
        int? rewind = null,
        string?[]? filter = null) =>
        streams.StreamAsync(context, [ChannelAddress.Of(NameOf(channel), filter ?? [])], Newer(lastEventId, after), rewind);

    private static Task<IResult> StreamSeveralAsync(
        HttpContext context,
        EventStreams streams,
        string[] channel,
        [FromHeader(Name = LastEventId)] string? lastEventId = null,
        string? after = null,
        int? rewind = null)
    {
        string[] channels = [.. channel.Distinct(StringComparer.Ordinal)];
        if (channels.Length is < 1 or > EventStreams.MaxChannels)
            throw new CollabException(ErrorCodes.InvalidArgument, $"name 1 to {EventStreams.MaxChannels} channels, as ?channel=a&channel=b");
        return streams.StreamAsync(context, channels, Newer(lastEventId, after), rewind);
    }

    // A browser that comes back has the older position in its URL.
    private static string? Newer(string? lastEventId, string? after) => string.IsNullOrEmpty(lastEventId) ? after : lastEventId;

    /// <summary>Reads one message or a list of them. The key of a request is that of its message, or the beginning of those of its list.</summary>
    private static async Task<(IReadOnlyList<NewMessage> Messages, bool IsBatch)> ReadAsync(HttpContext context, string? key)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = MaxBodyBytes;
        try
        {
            using var body = await JsonDocument.ParseAsync(
                context.Request.Body, new JsonDocumentOptions { MaxDepth = JsonData.ReaderDepth }, context.RequestAborted);
            if (body.RootElement.ValueKind is not JsonValueKind.Array)
                return ([MessageOf(body.RootElement, key)], false);
            var count = body.RootElement.GetArrayLength();
            if (count is < 1 or > ChannelService.MaxMessages)
                throw new CollabException(ErrorCodes.InvalidArgument, $"a batch has 1 to {ChannelService.MaxMessages} messages");
            return ([.. body.RootElement.EnumerateArray().Select((message, i) => MessageOf(message, key is null ? null : $"{key}/{i}"))], true);
        }
        catch (JsonException)
        {
            throw new CollabException(ErrorCodes.InvalidMessage, "the body is no JSON, or nested too deep");
        }
    }

    private static NewMessage MessageOf(JsonElement message, string? key)
    {
        if (message.ValueKind is not JsonValueKind.Object)
            throw new CollabException(ErrorCodes.InvalidMessage, "a message is an object: { \"event\": …, \"data\": … }");
        return new NewMessage(
            Text(message, "event"),
            message.TryGetProperty("data", out var data) ? JsonData.From(data) : JsonData.Null,
            Text(message, "idempotencyKey") ?? key);
    }

    private static string? Text(JsonElement message, string property)
    {
        if (!message.TryGetProperty(property, out var value) || value.ValueKind is JsonValueKind.Null)
            return null;
        if (value.ValueKind is not JsonValueKind.String)
            throw new CollabException(ErrorCodes.InvalidMessage, $"{property} is a string");
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            throw new CollabException(ErrorCodes.InvalidMessage, $"{property} holds half of a surrogate pair");
        }
    }

    /// <summary>A message to publish.</summary>
    internal sealed record PublishedMessage(string Event, object? Data, string? IdempotencyKey);

    /// <summary>The answer to a message.</summary>
    internal sealed record Published(string Position);

    /// <summary>The answer to a list of messages: the position of each, and of the last.</summary>
    internal sealed record PublishedBatch(IReadOnlyList<string> Positions, string Position);

    /// <summary>Who is present.</summary>
    internal sealed record ChannelMembers([property: System.Text.Json.Serialization.JsonPropertyName("members")] IReadOnlyList<ChannelMember> All);
}
