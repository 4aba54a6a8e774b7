namespace Collab.Server.Limits;

/// <summary>How much one caller may take up. Configuration section <c>Collab:Limits</c>. 0 stands for any number.</summary>
public sealed class LimitOptions
{
    /// <summary>In how many rooms, documents and channels together, one connection may be at a time. Default 1,000.</summary>
    public int RoomsPerConnection { get; set; } = 1_000;

    /// <summary>
    /// How many connections one user may hold open on a server: of the hub, event streams, and polls that wait. Default 1,000.
    /// </summary>
    public int ConnectionsPerUser { get; set; } = 1_000;

    /// <summary>
    /// How many connections may be held open from one address (IPv6: one network of 64 bits), whoever their users are. The server's own
    /// machine is exempt. Default 5,000.
    /// </summary>
    public int ConnectionsPerAddress { get; set; } = 5_000;

    /// <summary>
    /// How many requests a second one caller may make: over HTTP a user, over the hub a connection. Of the hub's calls, updates, awareness
    /// and messages are not among them, and have limits of their own. Default 500.
    /// </summary>
    public int RequestsPerSecond { get; set; } = 500;

    /// <summary>How many of them may come at once after a pause. Default 2,000.</summary>
    public int RequestBurst { get; set; } = 2_000;

    /// <summary>
    /// How many calls of one connection may be refused as too many in a short time before the connection is closed; it is forgiven
    /// ten a second. Default 1,000.
    /// </summary>
    public int RefusalsPerConnection { get; set; } = 1_000;

    /// <summary>
    /// How long a connection over which its client signs in with a message, as Hocuspocus' clients do, may be open without that, in
    /// milliseconds. Default 60,000; 0 for any time.
    /// </summary>
    public int SignInMilliseconds { get; set; } = 60_000;

    internal string? Fault() =>
        RoomsPerConnection < 0 ? "Collab:Limits:RoomsPerConnection must be 0 or more."
        : ConnectionsPerUser < 0 ? "Collab:Limits:ConnectionsPerUser must be 0 or more."
        : ConnectionsPerAddress < 0 ? "Collab:Limits:ConnectionsPerAddress must be 0 or more."
        : RequestsPerSecond < 0 ? "Collab:Limits:RequestsPerSecond must be 0 or more."
        : RequestBurst < 1 ? "Collab:Limits:RequestBurst must be at least 1."
        : SignInMilliseconds < 0 ? "Collab:Limits:SignInMilliseconds must be 0 or more."
        : RefusalsPerConnection < 0 ? "Collab:Limits:RefusalsPerConnection must be 0 or more."
        : null;
}
