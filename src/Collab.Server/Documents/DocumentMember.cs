namespace Collab.Server.Documents;

/// <summary>A connection that has joined a document.</summary>
/// <param name="connectionId">The connection.</param>
/// <param name="userId">The user behind it, or null.</param>
/// <param name="canWrite">Whether he may change the document; else he may read, and show his awareness.</param>
/// <param name="echoes">Whether he is sent what he says himself, too.</param>
internal sealed class DocumentMember(string connectionId, string? userId, bool canWrite, bool echoes)
{
    private volatile bool _canWrite = canWrite;
    private int _isIn;

    public string ConnectionId { get; } = connectionId;

    public string? UserId { get; } = userId;

    public bool Echoes { get; } = echoes;

    /// <summary>He is in, and handlers are to know it.</summary>
    /// <returns>False when they know it already.</returns>
    public bool TryComeIn() => Interlocked.Exchange(ref _isIn, 1) == 0;

    /// <summary>He is out again.</summary>
    /// <returns>False when handlers do not know that he was in.</returns>
    public bool TryGoOut() => Interlocked.Exchange(ref _isIn, 0) == 1;

    /// <summary>Whether he may change the document. His rights can change while he is in it.</summary>
    public bool CanWrite
    {
        get => _canWrite;
        set => _canWrite = value;
    }
}
