namespace Collab.Server.Documents.RichText;

/// <summary>Addresses in documents come from whoever may write them: only those that do nothing but lead somewhere are passed on.</summary>
internal static class SafeAddress
{
    /// <summary>The address if a link may have it, else null.</summary>
    public static string? OfLink(string? address) => IsOf(address, "http", "https", "mailto") ? address : null;

    /// <summary>The address if an image may have it, else null.</summary>
    public static string? OfImage(string? address) => IsOf(address, "http", "https") ? address : null;

    private static bool IsOf(string? address, params ReadOnlySpan<string> schemes) =>
        address is { Length: <= 2048 } && Uri.TryCreate(address, UriKind.Absolute, out var uri) && schemes.Contains(uri.Scheme)
        && !address.AsSpan().ContainsAny('\r', '\n', '\t');
}
