using System.Diagnostics;
using System.Net.Sockets;
using Collab.Testing.Proxies;

namespace Collab.Testing.Servers;

/// <summary>A real RabbitMQ on loopback with a folder of its own, from Debian's package. What is durable outlives it.</summary>
public sealed class RabbitMqServer : IAsyncDisposable
{
    private const string Programs = "/usr/lib/rabbitmq/bin";

    private readonly TemporaryFolder _folder = new();
    private readonly int _namesPort = TcpRelay.FreePort();
    private readonly int _nodesPort = TcpRelay.FreePort();
    private Process? _names;
    private Process? _process;

    private RabbitMqServer()
    {
    }

    public int Port { get; } = TcpRelay.FreePort();

    /// <summary>Where it is, as a user who may do everything.</summary>
    public string Uri => $"amqp://guest:guest@127.0.0.1:{Port}/";

    public static async Task<RabbitMqServer> StartAsync()
    {
        var server = new RabbitMqServer();
        await File.WriteAllTextAsync(server.PathOf("plugins"), "[].");
        // Erlang's nodes find each other by it. Without one of ours, RabbitMQ would start one that outlives it.
        server._names = Start("epmd", server.Environment, "-port", $"{server._namesPort}", "-address", "127.0.0.1");
        await ReachAsync(server._namesPort, server._names);
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>Ends it without a word.</summary>
    public async Task KillAsync()
    {
        if (_process is not { } process)
            return;
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        _process = null;
    }

    /// <summary>Starts it again at the same port, with what it had.</summary>
    public async Task StartAgainAsync()
    {
        _process = Start($"{Programs}/rabbitmq-server", Environment);
        await ReachAsync(Port, _process);
    }

    /// <summary>Has <c>rabbitmqctl</c> do something.</summary>
    /// <returns>What it says.</returns>
    public async Task<string> CallAsync(params string[] command)
    {
        var start = new ProcessStartInfo($"{Programs}/rabbitmqctl", ["-q", .. command]) { RedirectStandardOutput = true };
        foreach (var (name, value) in Environment)
            start.Environment[name] = value;
        using var program = Process.Start(start)!;
        var answer = await program.StandardOutput.ReadToEndAsync();
        await program.WaitForExitAsync();
        return answer.Trim();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        if (_names is { } names)
        {
            names.Kill();
            await names.WaitForExitAsync();
            names.Dispose();
        }

        _folder.Dispose();
    }

    private Dictionary<string, string> Environment => new()
    {
        ["HOME"] = _folder.Path,
        ["ERL_EPMD_PORT"] = $"{_namesPort}",
        ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
        // Its script becomes the server, instead of waiting for it.
        ["RABBITMQ_ALLOW_INPUT"] = "1",
        ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-noinput",
        ["RABBITMQ_NODENAME"] = $"test{Port}@localhost",
        ["RABBITMQ_NODE_IP_ADDRESS"] = "127.0.0.1",
        ["RABBITMQ_NODE_PORT"] = $"{Port}",
        ["RABBITMQ_DIST_PORT"] = $"{_nodesPort}",
        ["RABBITMQ_MNESIA_BASE"] = PathOf("data"),
        ["RABBITMQ_LOG_BASE"] = PathOf("log"),
        ["RABBITMQ_PID_FILE"] = PathOf("pid"),
        ["RABBITMQ_SCHEMA_DIR"] = PathOf("schema"),
        ["RABBITMQ_GENERATED_CONFIG_DIR"] = PathOf("generated"),
        ["RABBITMQ_ENABLED_PLUGINS_FILE"] = PathOf("plugins"),
        // There is none: the machine's own is not for this one.
        ["RABBITMQ_CONFIG_FILE"] = PathOf("none"),
        ["RABBITMQ_ADVANCED_CONFIG_FILE"] = PathOf("none"),
        ["RABBITMQ_CONF_ENV_FILE"] = PathOf("none"),
    };

    private string PathOf(string name) => Path.Combine(_folder.Path, name);

    private static Process Start(string program, Dictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/tmp" };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var process = Process.Start(start)!;
        // What nobody reads would stop it.
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static async Task ReachAsync(int port, Process process)
    {
        for (var tries = 0; ; tries++)
        {
            using var probe = new TcpClient();
            try
            {
                await probe.ConnectAsync("127.0.0.1", port);
                return;
            }
            catch (SocketException) when (tries < 600 && !process.HasExited)
            {
                await Task.Delay(50);
            }
        }
    }
}
