using Microsoft.Extensions.Options;

namespace Collab.Storage.Sqlite;

/// <summary>Where and how the embedded store keeps its data.</summary>
public sealed class SqliteRoomLogOptions
{
    /// <summary>
    /// The folder of the database file <c>collab.db</c>; created when missing. Relative to the working directory. Must be on a local
    /// disk: SQLite's write-ahead log does not work over network file systems. Configuration key <c>Collab:DataDirectory</c>.
    /// </summary>
    public string DataDirectory { get; set; } = "";

    /// <summary>
    /// How many bytes may wait to be written before appends are refused with <c>unavailable</c>.
    /// Configuration key <c>Collab:Sqlite:MaxQueuedBytes</c>.
    /// </summary>
    public long MaxQueuedBytes { get; set; } = 64 << 20;

    /// <summary>
    /// How long the store waits when another process has locked its file. Configuration key <c>Collab:Sqlite:BusyTimeout</c>.
    /// </summary>
    public TimeSpan BusyTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The largest row; SQLite's own limit.</summary>
    internal int MaxRowBytes { get; set; } = 1_000_000_000;

    /// <summary>The most pages (of 4096 bytes) that the file may have; SQLite's own limit.</summary>
    internal long MaxPages { get; set; } = 4_294_967_294;
}

/// <summary>Stops the start when the data folder is not given or cannot be written.</summary>
internal sealed class ValidateSqliteRoomLogOptions : IValidateOptions<SqliteRoomLogOptions>
{
    public ValidateOptionsResult Validate(string? name, SqliteRoomLogOptions options)
    {
        if (string.IsNullOrWhiteSpace(options.DataDirectory))
            return ValidateOptionsResult.Fail("Set Collab:DataDirectory to the folder in which Collab shall keep its data.");
        if (options.MaxQueuedBytes <= 0)
            return ValidateOptionsResult.Fail("Collab:Sqlite:MaxQueuedBytes must be more than 0.");
        if (options.BusyTimeout < TimeSpan.Zero || options.BusyTimeout > TimeSpan.FromMinutes(1))
            return ValidateOptionsResult.Fail("Collab:Sqlite:BusyTimeout must be between 0 and 1 minute.");
        try
        {
            Directory.CreateDirectory(options.DataDirectory);
            var probe = Path.Combine(options.DataDirectory, $".collab-{Guid.NewGuid():n}");
            using var file = new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            return ValidateOptionsResult.Success;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return ValidateOptionsResult.Fail(
                $"Set Collab:DataDirectory to a folder that can be created and written; \"{options.DataDirectory}\" cannot: {e.Message}");
        }
    }
}
