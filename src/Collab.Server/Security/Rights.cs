namespace Collab.Server.Security;

/// <summary>What a grant can allow. Names as they stand in a token's <c>access</c> lists.</summary>
public static class Rights
{
    /// <summary>Join a document and read it.</summary>
    public const string Read = "read";

    /// <summary>Change a document.</summary>
    public const string Write = "write";
}
