using System.Text.Json.Serialization;
using Collab.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Collab.Server.Security;

/// <summary>Where a signed-in caller gets tickets.</summary>
internal static class TicketEndpoints
{
    /// <summary>Maps <c>POST /tickets</c>.</summary>
    public static void MapTickets(this IEndpointRouteBuilder endpoints) => endpoints.MapPost("/tickets", IssueAsync)
        .WithTags("Tickets")
        .RequireAuthorization()
        .AddEndpointFilter<CollabProblemFilter>()
        .WithSummary("Issues a ticket for the address of a request that cannot carry headers")
        .WithDescription("`path` is that of the request, such as `/channels/news/events`. The ticket goes into its address as `?ticket=`, "
            + "holds once and for `expiresIn` seconds. What it opens ends when the token expires with which the ticket was bought.")
        .Accepts<TicketRequest>("application/json")
        .Produces<IssuedTicket>()
        .Produces(StatusCodes.Status415UnsupportedMediaType)
        .RefusesAsUsual();

    private static async Task<IResult> IssueAsync(HttpContext context, Tickets tickets, TimeProvider clock)
    {
        // Else who has seen one ticket could go on for ever.
        if (context.Request.Query.ContainsKey(TicketDefaults.QueryParameter))
            throw new CollabException(ErrorCodes.Forbidden, "a ticket buys no other ticket: sign in with what the first was bought with");
        var request = await JsonBody.ReadAsync<TicketRequest>(context, "{ \"path\": … }");
        var path = Tickets.PathOf(request.Path)
            ?? throw new CollabException(
                ErrorCodes.InvalidArgument, "path is that of a request, such as /channels/news/events, without a query");
        var signIn = SignIn.Of(context);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new IssuedTicket(
            await tickets.IssueAsync(signIn, path, context.RequestAborted), (int)Tickets.Lifetime.TotalSeconds, signIn.SecondsLeft(clock.GetUtcNow())));
    }

    /// <summary>What a ticket is asked for.</summary>
    /// <param name="Path">The path of the request in whose address the ticket will stand.</param>
    internal sealed record TicketRequest(string? Path);

    /// <summary>A ticket.</summary>
    /// <param name="Ticket">For the parameter <c>ticket</c> of the address.</param>
    /// <param name="ExpiresIn">How long it waits to be used, in seconds.</param>
    /// <param name="TokenLifetimeSeconds">How long what it was bought with is good for; left out when it does not expire.</param>
    internal sealed record IssuedTicket(
        string Ticket,
        int ExpiresIn,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? TokenLifetimeSeconds);
}
