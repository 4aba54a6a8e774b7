using System.Diagnostics;
using System.Net.Sockets;
using Collab.Testing.Proxies;

namespace Collab.Testing.Servers;

/// <summary>A real Postgres on loopback with a cluster of its own, from Debian's package.</summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string Owner = "postgres";

    private readonly TemporaryFolder _folder = new();
    private readonly string[] _settings;
    private Process? _process;

    private PostgresServer(string[] settings) => _settings = [.. settings.SelectMany(setting => new[] { "-c", setting })];

    public int Port { get; } = TcpRelay.FreePort();

    /// <summary>The id of the process whose descendants all of Postgres is.</summary>
    public int Id => _process!.Id;

    private static string Programs { get; } =
        Directory.GetDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal).Last() + "/bin";

    private string Data => Path.Combine(_folder.Path, "data");

    /// <summary>Starts it.</summary>
    /// <param name="settings">Settings for the command line, such as <c>wal_level=logical</c>.</param>
    public static async Task<PostgresServer> StartAsync(params string[] settings)
    {
        var server = new PostgresServer(settings);
        // Postgres refuses to run as root.
        if (Environment.IsPrivilegedProcess)
            await RunAsync("chown", [Owner, server._folder.Path]);
        await RunAsOwnerAsync("initdb", "-D", server.Data, "-U", Owner, "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8");
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>For <c>ConnectionStrings:Postgres</c>.</summary>
    /// <param name="database">The database.</param>
    /// <param name="port">Another port, such as a relay's.</param>
    public string ConnectionString(string database, int? port = null) =>
        $"Host=127.0.0.1;Port={port ?? Port};Username={Owner};Database={database};Timeout=5";

    /// <summary>Makes an empty database.</summary>
    /// <returns>Its name.</returns>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = $"test_{Guid.NewGuid():N}";
        await RunAsync(Path.Combine(Programs, "createdb"), ["-h", "127.0.0.1", "-p", $"{Port}", "-U", Owner, name]);
        return name;
    }

    /// <summary>Runs SQL in a database.</summary>
    public Task RunSqlAsync(string database, string sql) =>
        RunAsync(Path.Combine(Programs, "psql"), ["-h", "127.0.0.1", "-p", $"{Port}", "-U", Owner, "-d", database, "-v", "ON_ERROR_STOP=1", "-qc", sql]);

    /// <summary>Ends it as a crash would: all connections are cut, nothing is written any more.</summary>
    public async Task CrashAsync()
    {
        await RunAsOwnerAsync("pg_ctl", "-D", Data, "-m", "immediate", "-w", "stop");
        await _process!.WaitForExitAsync();
    }

    /// <summary>Starts it again at the same port.</summary>
    public async Task StartAgainAsync()
    {
        _process = Start("postgres", ["-D", Data, "-p", $"{Port}", "-c", "listen_addresses=127.0.0.1", "-c", $"unix_socket_directories={_folder.Path}", "-c", "log_min_messages=panic", .. _settings]);
        for (var tries = 0; ; tries++)
        {
            try
            {
                await RunSqlAsync("postgres", "SELECT 1");
                return;
            }
            catch (InvalidOperationException) when (tries < 200 && !_process.HasExited)
            {
                await Task.Delay(50);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
            await CrashAsync();
        _folder.Dispose();
    }

    private static async Task RunAsOwnerAsync(string program, params string[] arguments)
    {
        using var process = Start(program, arguments);
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} failed.");
    }

    private static Process Start(string program, params string[] arguments)
    {
        var path = Path.Combine(Programs, program);
        var start = Environment.IsPrivilegedProcess
            ? new ProcessStartInfo("runuser", ["-u", Owner, "--", path, .. arguments])
            : new ProcessStartInfo(path, arguments);
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.WorkingDirectory = "/tmp";
        var process = Process.Start(start)!;
        // What nobody reads would stop it.
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static async Task RunAsync(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} failed: {error}");
    }
}
