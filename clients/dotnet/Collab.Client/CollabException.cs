using Collab.Protocol;

namespace Collab.Client;

/// <summary>An error with a stable code: the server's (<see cref="ErrorCodes"/>) or the client's own (<see cref="ClientErrorCodes"/>).</summary>
/// <param name="code">What went wrong, for programs. Servers may know codes that this client does not.</param>
/// <param name="message">The same for people.</param>
/// <param name="inner">What caused it, if anything did.</param>
public sealed class CollabException(string code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What went wrong, for programs.</summary>
    public string Code { get; } = code;

    /// <summary>Whether the same call can succeed later without anybody changing anything.</summary>
    public bool IsTransient => Code is ErrorCodes.Unavailable or ErrorCodes.RateLimited or ClientErrorCodes.Internal;
}

/// <summary>The codes of errors that the client finds by itself.</summary>
public static class ClientErrorCodes
{
    /// <summary>No token, or one that the server does not accept.</summary>
    public const string Unauthorized = "unauthorized";

    /// <summary>The server cannot be reached over this transport.</summary>
    public const string Unreachable = "unreachable";

    /// <summary>There is no connection, it ended before the server answered, or it was closed for good.</summary>
    public const string Disconnected = "disconnected";

    /// <summary>The document is open already: on this connection, or its local file in another program.</summary>
    public const string AlreadyOpen = "already_open";

    /// <summary>More messages wait to be published than the connection keeps.</summary>
    public const string QueueFull = "queue_full";

    /// <summary>The subscription was ended before it stood.</summary>
    public const string Unsubscribed = "unsubscribed";

    /// <summary>The server failed and did not say why.</summary>
    public const string Internal = "internal";
}
