using Collab.Protocol;

namespace Collab.Server;

/// <summary>
/// An error that the caller can cause or must handle. The hub turns it into a <c>HubException</c> whose message begins with
/// <see cref="Code"/>; HTTP endpoints into a problem document.
/// </summary>
public sealed class CollabException : Exception
{
    /// <summary>Makes the error.</summary>
    /// <param name="code">One of <see cref="ErrorCodes"/>.</param>
    /// <param name="message">A sentence for the developer who made the call; it holds no content and no secrets.</param>
    /// <param name="innerException">What it comes from, if anything.</param>
    public CollabException(string code, string message, Exception? innerException = null)
        : base(message, innerException) => Code = code;

    /// <summary>One of <see cref="ErrorCodes"/>.</summary>
    public string Code { get; }

    /// <summary>When it is worth trying again; null when that cannot be said. HTTP callers get it as <c>Retry-After</c>.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
