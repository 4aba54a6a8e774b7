using System.Security.Claims;
using System.Text.Json;
using Collab.Protocol;
using Collab.Server.Channels.EventStream;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Collab.Server.Channels;

/// <summary>Channels over plain HTTP: publishing, polling, event streams, members.</summary>
internal static class ChannelEndpoints
{
    private const int MaxBodyBytes = 8 * 1024 * 1024;

    /// <summary>Maps <c>/channels/{channel}/messages</c>, <c>/events</c>, <c>/members</c>, and <c>/events</c> for several channels.</summary>
    public static void MapChannels(this IEndpointRouteBuilder endpoints)
    {
        var channel = endpoints.MapGroup("/channels/{channel}").RequireAuthorization();
        channel.AddEndpointFilter<CollabProblemFilter>();
        channel.MapPost("/messages", PublishAsync);
        channel.MapGet("/messages", ChannelPolling.GetAsync).WithoutProxyBuffering();
        channel.MapGet("/members", GetMembersAsync);
        channel.MapGet("/events", StreamAsync).WithoutProxyBuffering();
        endpoints.MapGet("/events", StreamSeveralAsync).WithoutProxyBuffering().RequireAuthorization().AddEndpointFilter<CollabProblemFilter>();
    }

    /// <summary>A name is one segment of the path, in which <c>%2F</c> is not decoded; no name has a percent sign.</summary>
    public static string NameOf(string segment) => segment.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    private static async Task<IResult> PublishAsync(HttpContext context, ChannelService service, string channel)
    {
        if (!context.Request.HasJsonContentType())
            return TypedResults.StatusCode(StatusCodes.Status415UnsupportedMediaType);
        var key = context.Request.Headers["Idempotency-Key"].ToString();
        var (messages, isBatch) = await ReadAsync(context, key.Length == 0 ? null : key);
        var positions = await service.PublishAsync(Caller.Of(context), NameOf(channel), messages);
        return isBatch
            ? TypedResults.Ok(new PublishedBatch([.. positions.Select(position => position.ToString())], positions[^1].ToString()))
            : TypedResults.Ok(new Published(positions[0].ToString()));
    }

    private static async Task<IResult> GetMembersAsync(ChannelService service, ClaimsPrincipal user, string channel) =>
        TypedResults.Ok(new Members(await service.GetMembersAsync(user, NameOf(channel))));

    private static Task<IResult> StreamAsync(
        HttpContext context, EventStreams streams, string channel, string? after = null, int? rewind = null) =>
        streams.StreamAsync(context, [NameOf(channel)], LastId(context, after), rewind);

    private static Task<IResult> StreamSeveralAsync(
        HttpContext context, EventStreams streams, string[] channel, string? after = null, int? rewind = null)
    {
        string[] channels = [.. channel.Distinct(StringComparer.Ordinal)];
        if (channels.Length is < 1 or > EventStreams.MaxChannels)
            throw new CollabException(ErrorCodes.InvalidArgument, $"name 1 to {EventStreams.MaxChannels} channels, as ?channel=a&channel=b");
        return streams.StreamAsync(context, channels, LastId(context, after), rewind);
    }

    // A browser that comes back has the older position in its URL.
    private static string? LastId(HttpContext context, string? after)
    {
        var header = context.Request.Headers["Last-Event-ID"].ToString();
        return header.Length > 0 ? header : after;
    }

    /// <summary>Reads one message or a list of them. The key of a request is that of its message, or the beginning of those of its list.</summary>
    private static async Task<(IReadOnlyList<NewMessage> Messages, bool IsBatch)> ReadAsync(HttpContext context, string? key)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = MaxBodyBytes;
        try
        {
            using var body = await JsonDocument.ParseAsync(
                context.Request.Body, new JsonDocumentOptions { MaxDepth = JsonData.MaxDepth }, context.RequestAborted);
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
        catch (BadHttpRequestException exception) when (exception.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw new CollabException(ErrorCodes.TooLarge, $"a request is at most {MaxBodyBytes} bytes");
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

    /// <summary>The answer to a message.</summary>
    internal sealed record Published(string Position);

    /// <summary>The answer to a list of messages: the position of each, and of the last.</summary>
    internal sealed record PublishedBatch(IReadOnlyList<string> Positions, string Position);

    /// <summary>Who is present.</summary>
    internal sealed record Members([property: System.Text.Json.Serialization.JsonPropertyName("members")] IReadOnlyList<ChannelMember> All);
}
