namespace Collab.Server.Documents;

/// <summary>A connection that has joined a document.</summary>
/// <param name="connectionId">The connection.</param>
/// <param name="userId">The user behind it, or null.</param>
/// <param name="canWrite">Whether he may change the document; else he may read, and show his awareness.</param>
/// <param name="echoes">Whether he is sent what he says himself, too.</param>
internal sealed class DocumentMember(string connectionId, string? userId, bool canWrite, bool echoes)
{
    private volatile bool _canWrite = canWrite;

    public string ConnectionId { get; } = connectionId;

    public string? UserId { get; } = userId;

    public bool Echoes { get; } = echoes;

    /// <summary>Whether he is in: handlers know of him.</summary>
    public bool IsIn { get; set; }

    /// <summary>Whether he may change the document. His rights can change while he is in it.</summary>
    public bool CanWrite
    {
        get => _canWrite;
        set => _canWrite = value;
    }
}
