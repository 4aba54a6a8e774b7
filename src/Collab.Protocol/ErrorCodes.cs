namespace Collab.Protocol;

/// <summary>
/// The stable codes of errors that a caller can cause or must handle. Hub callers get them first in the message of a
/// <c>HubException</c> (<c>forbidden: you may not write …</c>), HTTP callers in the <c>code</c> of a problem document (RFC 9457).
/// </summary>
public static class ErrorCodes
{
    /// <summary>The caller has no grant for what he asked. Asking again does not help.</summary>
    public const string Forbidden = "forbidden";

    /// <summary>The document id or channel name is not allowed by the rules of names.</summary>
    public const string InvalidName = "invalid_name";

    /// <summary>The bytes are not a Yjs update that a Yjs client can produce; nothing was stored or relayed.</summary>
    public const string InvalidUpdate = "invalid_update";

    /// <summary>The bytes are not a Yjs state vector.</summary>
    public const string InvalidStateVector = "invalid_state_vector";

    /// <summary>The bytes are not a y-protocols awareness update.</summary>
    public const string InvalidAwareness = "invalid_awareness";

    /// <summary>The event name, data or idempotency key of a message is not allowed; nothing was published.</summary>
    public const string InvalidMessage = "invalid_message";

    /// <summary>The text is not a position.</summary>
    public const string InvalidPosition = "invalid_position";

    /// <summary>An argument is out of its range, or does not go with another one.</summary>
    public const string InvalidArgument = "invalid_argument";

    /// <summary>The position is of another log, or older than the history kept: what follows it cannot be read whole.</summary>
    public const string PositionLost = "position_lost";

    /// <summary>More bytes, or more of something, than the server's limits allow.</summary>
    public const string TooLarge = "too_large";

    /// <summary>Too many calls in too short a time; try again later.</summary>
    public const string RateLimited = "rate_limited";

    /// <summary>Too many rooms or connections at a time; close some first.</summary>
    public const string TooMany = "too_many";

    /// <summary>There is no such document.</summary>
    public const string NotFound = "not_found";

    /// <summary>A rule of the application refuses the edit; its own code comes first in the message. Nothing was stored: take the edit back.</summary>
    public const string Rejected = "rejected";

    /// <summary>The document is not at the position that the caller's condition names (<c>If-Match</c>, <c>If-None-Match</c>).</summary>
    public const string PreconditionFailed = "precondition_failed";

    /// <summary>The body is not a patch or a document of the form that its type names.</summary>
    public const string InvalidPatch = "invalid_patch";

    /// <summary>The patch does not fit the document as it is: a path leads nowhere, or a test failed. Nothing was changed.</summary>
    public const string Conflict = "conflict";

    /// <summary>The body is of a type that is not taken here.</summary>
    public const string UnsupportedType = "unsupported_type";

    /// <summary>What was asked for is not to be had in a form that the caller accepts.</summary>
    public const string NotAcceptable = "not_acceptable";

    /// <summary>The caller has not joined the document or channel, or has left it.</summary>
    public const string NotJoined = "not_joined";

    /// <summary>The store cannot be read or written now. Nothing was stored; try again later.</summary>
    public const string Unavailable = "unavailable";
}
