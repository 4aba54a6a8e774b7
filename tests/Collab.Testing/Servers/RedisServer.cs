using System.Diagnostics;
using System.Net.Sockets;
using Collab.Testing.Proxies;

namespace Collab.Testing.Servers;

/// <summary>A real Redis on loopback that keeps nothing: killed and started again, it is empty.</summary>
public sealed class RedisServer : IAsyncDisposable
{
    // Members of a cluster and sentinels write down there what they know.
    private readonly TemporaryFolder _folder = new();
    private readonly string[] _settings;
    private Process? _process;

    private RedisServer(string[] settings) => _settings = settings;

    public int Port { get; } = TcpRelay.FreePort();

    /// <summary>The process' id.</summary>
    public int Id => _process!.Id;

    /// <summary>For <c>ConnectionStrings:Redis</c>.</summary>
    public string ConnectionString => $"127.0.0.1:{Port}";

    /// <param name="settings">More of redis-server's command line.</param>
    public static async Task<RedisServer> StartAsync(params string[] settings)
    {
        var server = new RedisServer(settings);
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>Starts one that watches over others.</summary>
    /// <param name="configuration">The lines of its configuration file.</param>
    public static async Task<RedisServer> StartSentinelAsync(params string[] configuration)
    {
        var server = new RedisServer(["--sentinel"]);
        await File.WriteAllLinesAsync(server.ConfigurationFile, configuration);
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>Ends it without a word.</summary>
    public async Task KillAsync()
    {
        if (_process is not { } process)
            return;
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        _process = null;
    }

    /// <summary>Starts it again at the same port.</summary>
    public async Task StartAgainAsync()
    {
        string[] file = File.Exists(ConfigurationFile) ? [ConfigurationFile] : ["--save", "", "--appendonly", "no"];
        _process = Process.Start(new ProcessStartInfo(
            "redis-server", [.. file, "--port", $"{Port}", "--bind", "127.0.0.1", "--loglevel", "warning", .. _settings])
        {
            RedirectStandardOutput = true,
            WorkingDirectory = _folder.Path,
        })!;
        for (var tries = 0; ; tries++)
        {
            using var probe = new TcpClient();
            try
            {
                await probe.ConnectAsync("127.0.0.1", Port);
                return;
            }
            catch (SocketException) when (tries < 200 && !_process.HasExited)
            {
                await Task.Delay(50);
            }
        }
    }

    /// <summary>Has it do something.</summary>
    /// <returns>What it says.</returns>
    public async Task<string> CallAsync(params string[] command)
    {
        using var client = Process.Start(new ProcessStartInfo("redis-cli", ["-p", $"{Port}", .. command]) { RedirectStandardOutput = true })!;
        var answer = await client.StandardOutput.ReadToEndAsync();
        await client.WaitForExitAsync();
        return answer.Trim();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _folder.Dispose();
    }

    private string ConfigurationFile => Path.Combine(_folder.Path, "redis.conf");
}
