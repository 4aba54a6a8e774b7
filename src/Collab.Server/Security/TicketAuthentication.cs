using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Collab.Server.Security;

/// <summary>Signs in the user for whom a ticket in the address was issued.</summary>
internal sealed class TicketAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, Tickets tickets)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    private CollabException? _unavailable;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!Request.Query.TryGetValue(TicketDefaults.QueryParameter, out var given))
            return AuthenticateResult.NoResult();
        try
        {
            return await TakeAsync(given);
        }
        catch (CollabException exception)
        {
            // Whether he may come in is not known: he is asked to try again.
            _unavailable = exception;
            return AuthenticateResult.Fail(exception.Message);
        }
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) =>
        _unavailable is { } exception ? CollabProblemFilter.RefuseAsync(Context, exception) : base.HandleChallengeAsync(properties);

    private async Task<AuthenticateResult> TakeAsync(StringValues given) =>
        given is [{ } ticket] && await tickets.TakeAsync(ticket, Tickets.PathOf(Request), Context.RequestAborted) is { } taken
            ? AuthenticateResult.Success(taken)
            : AuthenticateResult.Fail("The ticket is none, was used, is late or is for another path.");
}
