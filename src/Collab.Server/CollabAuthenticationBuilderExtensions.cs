using Collab.Server.Security;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Collab.Server;

/// <summary>Adds to an application's authentication what Collab brings.</summary>
public static class CollabAuthenticationBuilderExtensions
{
    /// <summary>
    /// Adds the scheme <see cref="TicketDefaults.AuthenticationScheme"/> and, with <c>MapCollab()</c>, the route <c>POST /tickets</c>.
    /// Let the application's default scheme forward to it with <see cref="TicketDefaults.SchemeOf"/>. Tickets wait in memory unless
    /// an <see cref="ITicketStore"/> is registered.
    /// </summary>
    public static AuthenticationBuilder AddCollabTickets(this AuthenticationBuilder authentication)
    {
        ArgumentNullException.ThrowIfNull(authentication);

        authentication.Services.TryAddSingleton(TimeProvider.System);
        authentication.Services.TryAddSingleton<ITicketStore, InMemoryTicketStore>();
        authentication.Services.TryAddSingleton<Tickets>();
        return authentication.AddScheme<AuthenticationSchemeOptions, TicketAuthentication>(TicketDefaults.AuthenticationScheme, null);
    }
}
