using System.Security.Claims;
using Collab.Protocol;
using Collab.Server.Operations;
using Collab.Server.Rooms;
using Collab.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace Collab.Server.Events;

/// <summary>What operators see of events that go out, and what they can do when one does not arrive.</summary>
internal static class EventEndpoints
{
    private const int MaxLetters = 1000;
    private const int DefaultLetters = 100;

    /// <summary>Maps <c>/admin/events</c>.</summary>
    public static void MapEvents(this IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("/admin/events")
            .RequireAuthorization()
            .AddEndpointFilter<CollabProblemFilter>()
            .AddEndpointFilter(async (context, next) =>
            {
                var authorizer = (RoomAuthorizer)context.HttpContext.RequestServices.GetService(typeof(RoomAuthorizer))!;
                return await authorizer.MayAdministerAsync(context.HttpContext.User)
                    ? await next(context)
                    : throw new CollabException(ErrorCodes.Forbidden, "you may not administer this server");
            })
            .WithTags("Administration");

        group.MapGet("", ReadAsync)
            .WithSummary("The sinks that events go to, and how far each is")
            .Produces<IReadOnlyList<SinkStatus>>()
            .RefusesAsUsual();
        group.MapPost("/{sink}/enable", EnableAsync)
            .WithSummary("Goes on with a sink that wanted no more events")
            .WithDescription("It gets what has waited for it, as far as that is kept.")
            .Produces(StatusCodes.Status204NoContent)
            .RefusesAsUsual();
        group.MapGet("/{sink}/dead-letters", ReadLettersAsync)
            .WithSummary("The events that a sink has not taken, the oldest first")
            .WithDescription($"`after` is the id of an event: those that follow it; `limit` is 1 to {MaxLetters}.")
            .Produces<DeadLetterPage>()
            .RefusesAsUsual();
        group.MapPost("/{sink}/dead-letters/resend", ResendAsync)
            .WithSummary("Sends dead letters again: one by its `id`, or all")
            .WithDescription("Each is tried once, now, in order. What is delivered is no dead letter any more.")
            .Produces<ResentLetters>()
            .RefusesAsUsual();
        group.MapDelete("/{sink}/dead-letters/{id}", DeleteLetterAsync)
            .WithSummary("Forgets a dead letter")
            .Produces(StatusCodes.Status204NoContent)
            .RefusesAsUsual();
    }

    private static async Task<IResult> ReadAsync(
        EventSinks sinks, SinkStates states, EventDeadLetters letters, IRoomLog log, CancellationToken cancellationToken)
    {
        var heads = await log.ReadHeadsAsync([.. Enumerable.Range(0, EventOutbox.Shards).Select(EventOutbox.KeyOf)], cancellationToken);
        var answer = new List<SinkStatus>();
        foreach (var name in sinks.All.Select(sink => sink.Name))
        {
            var (state, _) = await states.ReadAsync(name, cancellationToken);
            answer.Add(new SinkStatus(
                name,
                state.Disabled,
                state.Fault,
                state.DeliveredAt,
                heads.Zip(state.Done, (head, done) => Math.Max(head.Offset - done, 0)).Sum(),
                state.Behind.Count,
                (await letters.ReadAsync(name, cancellationToken)).Count));
        }

        return TypedResults.Ok(answer);
    }

    private static async Task<IResult> EnableAsync(string sink, EventSinks sinks, SinkStates states, CancellationToken cancellationToken)
    {
        CheckExists(sinks, sink);
        while (true)
        {
            var (state, position) = await states.ReadAsync(sink, cancellationToken);
            if (state.Disabled is null || await states.TryWriteAsync(sink, state with { Disabled = null }, position, cancellationToken) is not null)
                return TypedResults.NoContent();
        }
    }

    private static async Task<IResult> ReadLettersAsync(
        string sink, string? after, int? limit, EventSinks sinks, EventDeadLetters letters, CancellationToken cancellationToken)
    {
        CheckExists(sinks, sink);
        if (limit is < 1 or > MaxLetters)
            throw new CollabException(ErrorCodes.InvalidArgument, $"limit is 1 to {MaxLetters}");
        var all = await letters.ReadAsync(sink, cancellationToken);
        var rest = after is null ? all : all.SkipWhile(letter => letter.Id != after).Skip(1);
        return TypedResults.Ok(new DeadLetterPage([.. rest.Take(limit ?? DefaultLetters)], all.Count));
    }

    private static async Task<IResult> ResendAsync(
        string sink, string? id, EventSinks sinks, EventDeadLetters letters, IOptions<EventOptions> options, CancellationToken cancellationToken)
    {
        CheckExists(sinks, sink);
        var wanted = (await letters.ReadAsync(sink, cancellationToken)).Where(letter => id is null || letter.Id == id).ToArray();
        if (wanted.Length == 0 && id is not null)
            throw new CollabException(ErrorCodes.NotFound, "there is no such dead letter");
        var delivered = new List<string>();
        var fault = (string?)null;
        foreach (var letter in wanted)
        {
            fault = await TrySendAsync(sinks[sink], letter, options.Value, cancellationToken);
            if (fault is not null)
                break;
            await letters.RemoveAsync(sink, letter.Id, cancellationToken);
            delivered.Add(letter.Id);
        }

        return TypedResults.Ok(new ResentLetters(delivered, fault));
    }

    private static async Task<string?> TrySendAsync(IEventSink sink, DeadLetter letter, EventOptions options, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(options.TimeoutSeconds));
        try
        {
            var outcome = await sink.SendAsync([letter.ToEvent()], patience.Token).AsTask().WaitAsync(patience.Token);
            return outcome.Kind == EventOutcomeKind.Delivered ? null : outcome.Reason;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            return exception.Message;
        }
    }

    private static async Task<IResult> DeleteLetterAsync(
        string sink, string id, EventSinks sinks, EventDeadLetters letters, CancellationToken cancellationToken)
    {
        CheckExists(sinks, sink);
        if ((await letters.ReadAsync(sink, cancellationToken)).All(letter => letter.Id != id))
            throw new CollabException(ErrorCodes.NotFound, "there is no such dead letter");
        await letters.RemoveAsync(sink, id, cancellationToken);
        return TypedResults.NoContent();
    }

    private static void CheckExists(EventSinks sinks, string sink)
    {
        if (!sinks.Has(sink))
            throw new CollabException(ErrorCodes.NotFound, "there is no such sink");
    }

    /// <param name="Name">Its name.</param>
    /// <param name="Disabled">Why nothing is sent to it; null when it is.</param>
    /// <param name="Fault">Why the last attempt failed; null when it did not.</param>
    /// <param name="DeliveredAt">When it took an event last, in milliseconds since 1970.</param>
    /// <param name="Waiting">How many events wait to be looked at, those that it does not want among them; about.</param>
    /// <param name="RoomsBehind">How many rooms' events fail while others' do not.</param>
    /// <param name="DeadLetters">How many events it has not taken.</param>
    internal sealed record SinkStatus(string Name, string? Disabled, string? Fault, long? DeliveredAt, long Waiting, int RoomsBehind, int DeadLetters);

    /// <param name="Letters">The events.</param>
    /// <param name="Count">How many there are in all.</param>
    internal sealed record DeadLetterPage(IReadOnlyList<DeadLetter> Letters, int Count);

    /// <param name="Delivered">The ids of those that were.</param>
    /// <param name="Fault">Why the next one was not; null when all were.</param>
    internal sealed record ResentLetters(IReadOnlyList<string> Delivered, string? Fault);
}
