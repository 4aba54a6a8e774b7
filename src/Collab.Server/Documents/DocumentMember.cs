namespace Collab.Server.Documents;

/// <summary>A connection that has joined a document.</summary>
/// <param name="ConnectionId">The connection.</param>
/// <param name="UserId">The user behind it, or null.</param>
/// <param name="CanWrite">Whether he may change the document; else he may read, and show his awareness.</param>
internal sealed record DocumentMember(string ConnectionId, string? UserId, bool CanWrite);
