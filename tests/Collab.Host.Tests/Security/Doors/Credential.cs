namespace Collab.Host.Tests.Security.Doors;

/// <summary>What a caller shows at a door.</summary>
/// <param name="Name">What it is, for the report.</param>
/// <param name="Authorization">The header <c>Authorization</c>, if any.</param>
/// <param name="Right">What it lets its bearer do.</param>
internal sealed record Credential(string Name, string? Authorization, Right Right)
{
    /// <summary>The document and the channel that all doors are about.</summary>
    public const string Room = "door/room";

    private const string All =
        """[{ "document": "door/*", "access": ["read", "write", "admin"] }, { "channel": "door/*", "access": ["subscribe", "publish", "presence", "admin"] }, { "admin": true }]""";

    /// <summary>Every credential.</summary>
    public static IReadOnlyList<Credential> Table { get; } =
    [
        new("none", null, Right.Nobody),
        new("malformed", "Bearer eyJhbGciOiJIUzI1NiJ9.e30", Right.Nobody),
        new("another scheme", "Basic YWRhOnNlY3JldA==", Right.Nobody),
        .. Tokens.Wrong(All).Select(wrong => new Credential(wrong.Key, $"Bearer {wrong.Value}", Right.Nobody)),
        new("read-only", Bearer("""[{ "document": "door/*", "access": ["read"] }, { "channel": "door/*", "access": ["subscribe"] }]"""), Right.Read),
        new("other room", Bearer(All.Replace("door/*", "elsewhere/*", StringComparison.Ordinal).Replace("""{ "admin": true }""", "{}", StringComparison.Ordinal)), Right.None),
        new("no grants", Bearer("[]"), Right.None),
        new("right", Bearer(All), Right.All),
    ];

    private static string Bearer(string grants) => $"Bearer {Tokens.Of(grants, "caller")}";
}

/// <summary>How much somebody may do in <see cref="Credential.Room"/>; each is more than those before it.</summary>
internal enum Right
{
    /// <summary>Not even who he is is known.</summary>
    Nobody,

    /// <summary>He is known, and may do nothing here.</summary>
    None,

    /// <summary>He may read and subscribe.</summary>
    Read,

    /// <summary>He may do everything.</summary>
    All,
}
