namespace Collab.Server.Security;

/// <summary>What a grant can allow. Names as they stand in a token's <c>access</c> lists.</summary>
public static class Rights
{
    /// <summary>Join a document and read it.</summary>
    public const string Read = "read";

    /// <summary>Change a document.</summary>
    public const string Write = "write";

    /// <summary>Follow a channel and read its history.</summary>
    public const string Subscribe = "subscribe";

    /// <summary>Publish in a channel.</summary>
    public const string Publish = "publish";

    /// <summary>Be seen as a member of a channel, and see who the members are.</summary>
    public const string Presence = "presence";

    /// <summary>Administer a document or channel: take everybody's access to it away.</summary>
    public const string Admin = "admin";
}
