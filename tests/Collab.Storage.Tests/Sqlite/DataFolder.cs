using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Collab.Storage.Sqlite;

/// <summary>A new folder for one test's database, deleted at its end.</summary>
internal sealed class DataFolder : IDisposable
{
    public DataFolder() => Directory.CreateDirectory(Path);

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"collab-test-{Guid.NewGuid():n}");

    public string File => System.IO.Path.Combine(Path, SqliteDatabase.FileName);

    public string WriteAheadLog => File + "-wal";

    /// <summary>Opens the store; locks are waited for only shortly, as tests hold them on purpose.</summary>
    public SqliteRoomLog Open(Action<SqliteRoomLogOptions>? configure = null, ILogger<SqliteRoomLog>? logger = null) =>
        new(Options.Create(Settings(configure)), TimeProvider.System, logger ?? NullLogger<SqliteRoomLog>.Instance);

    public SqliteRoomLogOptions Settings(Action<SqliteRoomLogOptions>? configure = null)
    {
        var options = new SqliteRoomLogOptions { DataDirectory = Path, BusyTimeout = TimeSpan.FromMilliseconds(50) };
        configure?.Invoke(options);
        return options;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
