namespace Collab.Server.Nodes;

/// <summary>How the nodes of one service live together. Configuration section <c>Collab:Nodes</c>.</summary>
public sealed class NodeOptions
{
    /// <summary>
    /// How often a node asks the store how far the logs of its open rooms go, in milliseconds: the longest that members wait for what the
    /// backplane has lost. 100 to 60,000; default 2,000.
    /// </summary>
    public int HealMilliseconds { get; set; } = 2_000;

    /// <summary>
    /// The address at which the other nodes reach this one, such as <c>http://10.0.0.7:8080</c>. When it is not set, one that the server
    /// listens at.
    /// </summary>
    public string? Address { get; set; }

    internal string? Fault() =>
        HealMilliseconds is < 100 or > 60_000 ? "Collab:Nodes:HealMilliseconds must be 100 to 60000 milliseconds."
        : Address is not null && !(Uri.TryCreate(Address, UriKind.Absolute, out var address) && address.Scheme is "http" or "https")
            ? "Collab:Nodes:Address must be an address such as http://10.0.0.7:8080."
        : null;
}
