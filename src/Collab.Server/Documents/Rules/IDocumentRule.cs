using Collab.Crdt;

namespace Collab.Server.Documents;

/// <summary>
/// Says of an edit, before anybody sees it, whether it may be. Edits of a document to which a rule applies are judged one after the other on
/// each node; what two nodes take in the same moment is judged beside each other.
/// </summary>
public interface IDocumentRule
{
    /// <summary>Whether the rule is for a document. Asked for each edit.</summary>
    /// <param name="documentId">The document.</param>
    bool AppliesTo(string documentId) => true;

    /// <summary>Judges an edit.</summary>
    /// <param name="edit">The edit, with the document before and after it.</param>
    /// <param name="cancellationToken">The server stops.</param>
    /// <returns><see cref="RuleVerdict.Accepted"/>, or why not. What it throws refuses the edit as <c>unavailable</c>.</returns>
    ValueTask<RuleVerdict> JudgeAsync(ProposedEdit edit, CancellationToken cancellationToken);
}

/// <summary>An edit that somebody wants to make.</summary>
public sealed class ProposedEdit
{
    private readonly Lazy<Doc> _before;
    private readonly Lazy<Doc> _after;

    internal ProposedEdit(string documentId, string? userId, ReadOnlyMemory<byte> update, Lazy<Doc> before, Lazy<Doc> after)
    {
        (DocumentId, UserId, Update) = (documentId, userId, update);
        (_before, _after) = (before, after);
    }

    /// <summary>The document.</summary>
    public string DocumentId { get; }

    /// <summary>Who wants to make it; null for nobody in particular.</summary>
    public string? UserId { get; }

    /// <summary>The edit as a Yjs update (format v1).</summary>
    public ReadOnlyMemory<byte> Update { get; }

    /// <summary>The document without the edit, built when it is first asked for. Read it; what is changed in it is lost.</summary>
    public Doc Before => _before.Value;

    /// <summary>The document with the edit, built when it is first asked for. Read it; what is changed in it is lost.</summary>
    public Doc After => _after.Value;
}

/// <summary>What a rule says of an edit.</summary>
public sealed record RuleVerdict
{
    private RuleVerdict(string? code, string? reason) => (Code, Reason) = (code, reason);

    /// <summary>The edit may be.</summary>
    public static RuleVerdict Accepted { get; } = new(null, null);

    /// <summary>The edit may not be.</summary>
    /// <param name="code">Why, for programs: lower-case letters, digits and <c>_</c>.</param>
    /// <param name="reason">The same for people; it holds no content.</param>
    /// <exception cref="ArgumentException">The code is no code.</exception>
    public static RuleVerdict Rejected(string code, string reason) =>
        code is { Length: > 0 and <= 64 } && code.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '_')
            ? new(code, reason)
            : throw new ArgumentException("A rule's code is 1 to 64 lower-case letters, digits and _.", nameof(code));

    /// <summary>Why not, for programs; null when the edit may be.</summary>
    public string? Code { get; }

    /// <summary>Why not, for people.</summary>
    public string? Reason { get; }
}
