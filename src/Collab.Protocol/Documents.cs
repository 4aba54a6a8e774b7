using System.Runtime.Serialization;

namespace Collab.Protocol;

// DataContract names the keys for MessagePack, which knows no naming policy; JSON arrives at the same names by camel case.

/// <summary>What <c>JoinDocument</c> returns.</summary>
/// <param name="Update">What the caller lacks, as a Yjs update (format v1); an empty update when he lacks nothing.</param>
/// <param name="StateVector">What the server has, as a Yjs state vector, so that the caller can send what the server lacks.</param>
/// <param name="Position">The position of the document's log that <paramref name="Update"/> brings the caller to.</param>
/// <param name="Access"><see cref="DocumentAccess.Read"/> or <see cref="DocumentAccess.Write"/>.</param>
/// <param name="Awareness">The awareness states of those present, as a y-protocols awareness update; may hold none.</param>
[DataContract]
public sealed record JoinedDocument(
    [property: DataMember(Name = "update")] byte[] Update,
    [property: DataMember(Name = "stateVector")] byte[] StateVector,
    [property: DataMember(Name = "position")] string Position,
    [property: DataMember(Name = "access")] string Access,
    [property: DataMember(Name = "awareness")] byte[] Awareness);

/// <summary>What <c>SyncDocument</c> returns.</summary>
/// <param name="Update">What the caller lacks, as a Yjs update (format v1).</param>
/// <param name="StateVector">What the server has, as a Yjs state vector.</param>
/// <param name="Position">The position of the document's log that <paramref name="Update"/> brings the caller to.</param>
[DataContract]
public sealed record SyncedDocument(
    [property: DataMember(Name = "update")] byte[] Update,
    [property: DataMember(Name = "stateVector")] byte[] StateVector,
    [property: DataMember(Name = "position")] string Position);

/// <summary>The values of <see cref="JoinedDocument.Access"/>.</summary>
public static class DocumentAccess
{
    /// <summary>The caller may read, and show his awareness, but not change the document.</summary>
    public const string Read = "read";

    /// <summary>The caller may read and change the document.</summary>
    public const string Write = "write";
}

/// <summary>Why the server ended a membership, in <c>DocumentClosed(documentId, reason)</c>.</summary>
public static class DocumentCloseReasons
{
    /// <summary>The right to read was taken away. Do not join again without a new token.</summary>
    public const string Forbidden = "forbidden";

    /// <summary>The document was deleted.</summary>
    public const string Deleted = "deleted";

    /// <summary>The server could not serve what this member lacks from the store. Join again.</summary>
    public const string Unavailable = "unavailable";
}
