using System.Text;

namespace Collab.Server.Security;

/// <summary>From which pages scripts may use this server. Configuration section <c>Collab</c>.</summary>
public sealed class OriginOptions
{
    /// <summary>
    /// Origins besides the server's own, as browsers send them, such as <c>https://app.example</c>: scheme and host, with the port where
    /// it is not the usual one, and nothing after it. Default none.
    /// </summary>
    public IList<string> AllowedOrigins { get; } = [];

    internal string? Fault() =>
        AllowedOrigins.Contains("*")
            ? "Collab:AllowedOrigins must name each origin: * would let the scripts of every page act for whoever looks at it."
        : AllowedOrigins.FirstOrDefault(origin => !IsOrigin(origin)) is { } wrong
            ? "Collab:AllowedOrigins must be origins as browsers send them, such as https://app.example or http://localhost:3000; "
                + $"'{wrong}' is none."
        : null;

    private static bool IsOrigin(string text) =>
        Ascii.IsValid(text)
        && Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp)
        && uri.UserInfo.Length == 0
        && text.Equals(uri.GetLeftPart(UriPartial.Authority), StringComparison.OrdinalIgnoreCase);
}
