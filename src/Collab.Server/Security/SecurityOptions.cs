namespace Collab.Server.Security;

/// <summary>What guards connections. Configuration section <c>Collab:Security</c>.</summary>
public sealed class SecurityOptions
{
    /// <summary>
    /// How long a revocation holds, in days. No token may be good for longer: one that is would count again. 1 to 3,650; default 30.
    /// </summary>
    public int RevocationDays { get; set; } = 30;

    internal string? Fault() =>
        RevocationDays is < 1 or > 3650 ? "Collab:Security:RevocationDays must be 1 to 3650 days, and longer than any token is good for." : null;
}
