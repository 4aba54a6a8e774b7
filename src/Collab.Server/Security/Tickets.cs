using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;

namespace Collab.Server.Security;

/// <summary>
/// Issues and takes tickets. A ticket stands for a signed-in user in the address of one request, where no header can be sent: it is
/// random, holds for one path, once, and for a short time.
/// </summary>
internal sealed class Tickets(ITicketStore store, TimeProvider clock)
{
    /// <summary>How long a ticket waits to be used.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    private const int TicketBytes = 32;
    private const int MaxPathLength = 2_048;
    private const string PathItem = "path";

    /// <summary>Issues a ticket.</summary>
    /// <param name="signIn">As whom; when that expires, so does what the ticket opens.</param>
    /// <param name="path">Where, as <see cref="PathOf(string?)"/> says it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<string> IssueAsync(SignIn signIn, string path, CancellationToken cancellationToken)
    {
        var ticket = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TicketBytes));
        var properties = new AuthenticationProperties { ExpiresUtc = signIn.Expires };
        properties.Items[PathItem] = path;
        var content = TicketSerializer.Default.Serialize(
            new AuthenticationTicket(signIn.User, properties, TicketDefaults.AuthenticationScheme));
        await store.PutAsync(KeyOf(ticket), content, Lifetime, cancellationToken);
        return ticket;
    }

    /// <summary>Takes a ticket: whatever comes of it, it is used up.</summary>
    /// <returns>Whom it signs in; null when it is none, was used, is late or is for another path.</returns>
    public async ValueTask<AuthenticationTicket?> TakeAsync(string ticket, string path, CancellationToken cancellationToken)
    {
        if (ticket.Length != Base64Url.GetEncodedLength(TicketBytes)
            || await store.TakeAsync(KeyOf(ticket), cancellationToken) is not { } content
            || TicketSerializer.Default.Deserialize(content) is not { } taken)
        {
            return null;
        }

        return taken.Properties.Items[PathItem] == path && !(taken.Properties.ExpiresUtc <= clock.GetUtcNow()) ? taken : null;
    }

    /// <summary>The path of a request, below that of the application.</summary>
    public static string PathOf(HttpRequest request) => Unify(request.Path);

    /// <summary>The path of an address as a client writes it, decoded as the server decodes it; null for what is no absolute path.</summary>
    public static string? PathOf(string? address) =>
        address is not ['/', ..]
        || address.StartsWith("//", StringComparison.Ordinal)
        || address.Length > MaxPathLength
        || address.AsSpan().ContainsAny('?', '#', '\\')
        || address.Contains("%00", StringComparison.Ordinal)
            ? null
            : Unify(PathString.FromUriComponent(address));

    // A slash within a segment is all that is not decoded, and may be written in two ways.
    private static string Unify(PathString path) => path.Value!.Replace("%2f", "%2F", StringComparison.Ordinal);

    // What reads the store must not be able to use what waits there.
    private static string KeyOf(string ticket) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ticket)));
}
