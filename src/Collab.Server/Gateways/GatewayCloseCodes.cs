using Collab.Protocol;

namespace Collab.Server.Gateways;

/// <summary>With which code (RFC 6455, 7.4) a client of a Yjs protocol is told that it is over.</summary>
internal static class GatewayCloseCodes
{
    public const int ServiceRestart = 1012;
    public const int Unauthorized = 4401;
    public const int Forbidden = 4403;
    public const int TimedOut = 4408;

    private const int TooLarge = 1009;
    private const int TryAgainLater = 1013;
    private const int Malformed = 4400;
    private const int NotFound = 4404;
    private const int Replaced = 4409;
    private const int TooMany = 4429;

    /// <summary>The code for what begins with one of <see cref="ErrorCodes"/> or with another reason to end a connection; null when the server stops.</summary>
    public static int Of(string? reason) => reason?.Split(':')[0] switch
    {
        null => ServiceRestart,
        "expired" or "unauthorized" => Unauthorized,
        "replaced" => Replaced,
        ErrorCodes.Forbidden => Forbidden,
        ErrorCodes.NotFound or ErrorCodes.InvalidName or DocumentCloseReasons.Deleted => NotFound,
        ErrorCodes.TooLarge => TooLarge,
        ErrorCodes.RateLimited or ErrorCodes.TooMany => TooMany,
        ErrorCodes.Unavailable or ErrorCodes.NotJoined => TryAgainLater,
        _ => Malformed,
    };
}
