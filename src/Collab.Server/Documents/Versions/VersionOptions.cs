namespace Collab.Server.Documents.Versions;

/// <summary>When versions of documents are made by themselves, and which are kept. Configuration section <c>Collab:Versions</c>.</summary>
public sealed class VersionOptions
{
    /// <summary>Whether versions are made by themselves. Named ones can be made in any case. Default true.</summary>
    public bool Automatic { get; set; } = true;

    /// <summary>A document that is changed gets a version so long after its last one, in seconds. Default 600.</summary>
    public int EverySeconds { get; set; } = 600;

    /// <summary>… or after so many updates, but not sooner than <see cref="AtLeastSeconds"/> after its last one. Default 500.</summary>
    public int EveryUpdates { get; set; } = 500;

    /// <summary>
    /// The shortest time between two versions that are made by themselves, in seconds; when everybody has left a changed document it gets one if the
    /// last is older than this. Default 60.
    /// </summary>
    public int AtLeastSeconds { get; set; } = 60;

    /// <summary>How many versions that were made by themselves a document keeps; the oldest go first. Default 200.</summary>
    public int KeepAutomatic { get; set; } = 200;

    /// <summary>How long versions that were made by themselves are kept, in days. Named ones stay until they are deleted. Default 90.</summary>
    public int KeepAutomaticDays { get; set; } = 90;

    internal string? Fault() =>
        EverySeconds is < 1 or > 604_800 ? "Collab:Versions:EverySeconds must be 1 to 604800 seconds."
        : EveryUpdates < 1 ? "Collab:Versions:EveryUpdates must be at least 1."
        : AtLeastSeconds < 0 || AtLeastSeconds > EverySeconds ? "Collab:Versions:AtLeastSeconds must be 0 to EverySeconds."
        : KeepAutomatic is < 1 or > 10_000 ? "Collab:Versions:KeepAutomatic must be 1 to 10000 versions."
        : KeepAutomaticDays is < 1 or > 36_500 ? "Collab:Versions:KeepAutomaticDays must be 1 to 36500 days."
        : null;
}
