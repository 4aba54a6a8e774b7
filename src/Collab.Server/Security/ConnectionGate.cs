using System.Text.Json.Nodes;
using Collab.Protocol;
using Collab.Server.Fanout;
using Collab.Server.Limits;
using Collab.Server.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Collab.Server.Security;

/// <summary>
/// Stands before the hub's transports: a connection is opened, read, written and ended by the user who negotiated it alone. And lets that
/// user renew his token while the connection goes on, as SignalR of ASP.NET Core 11 does.
/// </summary>
internal sealed class ConnectionGate(
    ConnectionOwners owners,
    Connections connections,
    ConnectionCounts counts,
    RequestRate requests,
    ConnectionRouting routing,
    Revocations revocations,
    IHostApplicationLifetime lifetime,
    TimeProvider clock)
{
    private const string ConnectionToken = "connectionToken";
    private const string Lifetime = "tokenLifetimeSeconds";

    /// <summary>Puts the gate before the hub's endpoints.</summary>
    public static TBuilder Guard<TBuilder>(TBuilder hub)
        where TBuilder : IEndpointConventionBuilder
    {
        hub.Add(endpoint =>
        {
            var next = endpoint.RequestDelegate!;
            var isNegotiation = endpoint is RouteEndpointBuilder { RoutePattern.RawText: HubContract.Path + "/negotiate" };
            endpoint.RequestDelegate = context => context.RequestServices.GetRequiredService<ConnectionGate>().GuardAsync(context, next, isNegotiation);
        });
        return hub;
    }

    /// <summary>
    /// Maps <c>POST /hubs/collab/refresh?id=</c>: the connection goes on with the token of this request, which must be of the same user.
    /// What it may do is asked anew at once. With <c>?session=</c> in the place of the id it is the user's connection of that session,
    /// for WebSockets that were opened without a negotiation.
    /// </summary>
    public static void MapRefresh(IEndpointRouteBuilder endpoints) => endpoints
        .MapPost(HubContract.Path + "/refresh", (HttpContext context, ConnectionGate gate, string? id, string? session) => gate.RefreshAsync(context, id, session))
        .RequireAuthorization()
        .AddEndpointFilter<CollabProblemFilter>()
        .WithTags("Hub")
        .WithSummary("Renews the token of a hub connection that goes on")
        .WithDescription($"`id` is the connection token of the negotiation; or `session` what the connection was opened with. The answer's `{Lifetime}` says how long the new token is good for.")
        .Produces<Refreshed>()
        .ProducesProblem(StatusCodes.Status404NotFound)
        .RefusesAsUsual();

    private async Task GuardAsync(HttpContext context, RequestDelegate next, bool isNegotiation)
    {
        try
        {
            await PassAsync(context, next, isNegotiation);
        }
        catch (CollabException exception) when (!context.Response.HasStarted)
        {
            await CollabProblemFilter.RefuseAsync(context, exception);
        }
    }

    private async Task PassAsync(HttpContext context, RequestDelegate next, bool isNegotiation)
    {
        var signIn = SignIn.Of(context);
        var token = isNegotiation ? null : context.Request.Query["id"] is [{ Length: > 0 } id] ? id : null;
        // An open connection is ended, and must be able to fetch that it is.
        if (token is null || !connections.IsOpen(token))
            CheckIsNotRevoked(signIn);
        if (token is null)
        {
            lifetime.ThrowIfStopping();
            requests.Count(context);
            counts.Check(context);
        }

        if (isNegotiation)
        {
            await NegotiateAsync(context, signIn, next);
            return;
        }

        // A WebSocket without a token is a connection of its own.
        if (token is null)
        {
            await next(context);
            return;
        }

        var connection = Owned(token, signIn);
        // Clients without a refresh come with a newer token now and then.
        if (signIn.Expires > connection.SignIn.Expires)
            await RenewAsync(token, connection, signIn);
        connection.Enter();
        try
        {
            await next(context);
        }
        finally
        {
            connection.Leave();
        }
    }

    /// <summary>Lets SignalR negotiate, notes whose the connection is, and says how long its token is good for.</summary>
    private async Task NegotiateAsync(HttpContext context, SignIn signIn, RequestDelegate next)
    {
        var response = context.Response;
        var body = response.Body;
        using var answer = new MemoryStream();
        response.Body = answer;
        try
        {
            await next(context);
        }
        finally
        {
            response.Body = body;
        }

        answer.Position = 0;
        if (response.StatusCode == StatusCodes.Status200OK && JsonNode.Parse(answer) is JsonObject negotiated)
        {
            var name = negotiated.ContainsKey(ConnectionToken) ? ConnectionToken : "connectionId";
            if ((string?)negotiated[name] is { } token)
            {
                owners.Add(token, signIn);
                negotiated[name] = routing.Mark(token);
            }

            if (signIn.SecondsLeft(clock.GetUtcNow()) is { } seconds)
                negotiated[Lifetime] = seconds;
            await using var rewritten = new MemoryStream();
            await System.Text.Json.JsonSerializer.SerializeAsync(rewritten, negotiated, cancellationToken: context.RequestAborted);
            rewritten.Position = 0;
            response.ContentLength = rewritten.Length;
            await rewritten.CopyToAsync(body, context.RequestAborted);
            return;
        }

        answer.Position = 0;
        await answer.CopyToAsync(body, context.RequestAborted);
    }

    private async Task<IResult> RefreshAsync(HttpContext context, string? id, string? session)
    {
        var signIn = SignIn.Of(context);
        CheckIsNotRevoked(signIn);
        if (id is not null)
            await RenewAsync(id, Owned(id, signIn), signIn);
        else if (session is null || !await connections.RenewSessionAsync(session, signIn))
            throw NoSuchConnection();
        return TypedResults.Ok(new Refreshed(signIn.SecondsLeft(clock.GetUtcNow())));
    }

    private OwnedConnection Owned(string token, SignIn signIn)
    {
        var connection = owners.Find(token) ?? throw NoSuchConnection();
        return connection.IsOf(signIn) ? connection : throw new CollabException(ErrorCodes.Forbidden, "the connection is not yours");
    }

    private static CollabException NoSuchConnection() => new(ErrorCodes.NotFound, "there is no such connection");

    private void CheckIsNotRevoked(SignIn signIn)
    {
        // Until they are known the doors of rooms are shut to everybody.
        if (revocations.AreKnown && revocations.Revokes(signIn.User))
            throw new CollabException(ErrorCodes.Forbidden, "what you signed in with was revoked");
    }

    private Task RenewAsync(string token, OwnedConnection connection, SignIn signIn)
    {
        connection.SignIn = signIn;
        return connections.RenewAsync(token, signIn);
    }

    /// <summary>The answer to a refresh: how long the new token is good for, in seconds; left out when it does not expire.</summary>
    internal sealed record Refreshed(
        [property: System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
        long? TokenLifetimeSeconds);
}
