using Microsoft.AspNetCore.Http;

namespace Collab.Server.Security;

/// <summary>What an application needs to know of tickets when it composes its authentication.</summary>
public static class TicketDefaults
{
    /// <summary>The name of the authentication scheme that takes tickets.</summary>
    public const string AuthenticationScheme = "Ticket";

    /// <summary>The parameter of an address that carries a ticket.</summary>
    public const string QueryParameter = "ticket";

    /// <summary>
    /// The scheme for a request that carries a ticket, null for any other. Fits <c>ForwardDefaultSelector</c> of an application's
    /// default scheme.
    /// </summary>
    public static string? SchemeOf(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);

        var request = context.Request;
        return request.QueryString.HasValue && request.Query.ContainsKey(QueryParameter) ? AuthenticationScheme : null;
    }
}
