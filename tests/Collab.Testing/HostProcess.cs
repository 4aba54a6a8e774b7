using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.Connections;

namespace Collab.Testing;

/// <summary>
/// The ready-made server in a process of its own, as users run it: on a free port, with the settings that the test gives it, and killed
/// at the latest with the test.
/// </summary>
public sealed partial class HostProcess : IAsyncDisposable
{
    /// <summary>How long a start, a stop or a line of output may take on a busy machine.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly HttpClient Http = new();

    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly List<TestClient> _clients = [];
    private readonly TaskCompletionSource<string> _url = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _output;
    private bool _isDisposed;

    private HostProcess(Process process)
    {
        _process = process;
        _output = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    /// <summary>The program: what <c>COLLAB_HOST_DLL</c> names, else the one that was built beside the tests.</summary>
    public static string Program { get; } =
        Environment.GetEnvironmentVariable("COLLAB_HOST_DLL") is { Length: > 0 } program
            ? program
            : Path.Combine(AppContext.BaseDirectory, "Collab.Host.dll");

    /// <summary>The address it listens on, such as <c>http://127.0.0.1:40123</c>.</summary>
    public string Url => _url.Task.IsCompletedSuccessfully ? _url.Task.Result : throw new InvalidOperationException("It does not listen.");

    /// <summary>The process' id.</summary>
    public int Id => _process.Id;

    /// <summary>What it has written to its standard output and error so far.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    /// <summary>Starts it without waiting for anything.</summary>
    /// <param name="dataDirectory">Where it keeps its data; null sets none.</param>
    /// <param name="environment">ASP.NET Core's environment; null for none, which means Production.</param>
    /// <param name="settings">Settings given in the environment, with <c>__</c> for <c>:</c>.</param>
    /// <param name="arguments">The command line after <c>--urls</c>.</param>
    /// <param name="program">Another program than <see cref="Program"/>.</param>
    public static HostProcess Launch(
        string? dataDirectory,
        string? environment = "Development",
        IEnumerable<(string Key, string Value)>? settings = null,
        IEnumerable<string>? arguments = null,
        string? program = null)
    {
        var start = new ProcessStartInfo("dotnet", [program ?? Program, "--urls", "http://127.0.0.1:0", .. arguments ?? []])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What is set where the tests run must not reach the server.
        foreach (var name in start.Environment.Keys.Where(name => Inherited().IsMatch(name)).ToArray())
            start.Environment.Remove(name);
        if (environment is not null)
            start.Environment["ASPNETCORE_ENVIRONMENT"] = environment;
        if (dataDirectory is not null)
            start.Environment["Collab__DataDirectory"] = dataDirectory;
        foreach (var (key, value) in settings ?? [])
            start.Environment[key] = value;
        return new HostProcess(Process.Start(start)!);
    }

    /// <summary>Waits until it listens and <c>/health/ready</c> answers 200; ends it when that does not happen.</summary>
    /// <returns>Itself.</returns>
    public async Task<HostProcess> ReadyAsync()
    {
        try
        {
            await ListeningAsync();
            await UntilHealthAsync("ready", HttpStatusCode.OK);
            return this;
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until it has said its address.</summary>
    public async Task<HostProcess> ListeningAsync()
    {
        await Task.WhenAny(_url.Task, _output).WaitAsync(Patience);
        return _url.Task.IsCompleted ? this : throw new InvalidOperationException($"The server ended:\n{string.Join('\n', Lines)}");
    }

    /// <summary>Waits until <c>/health/live</c> or <c>/health/ready</c> answers so.</summary>
    public async Task UntilHealthAsync(string what, HttpStatusCode wanted)
    {
        var deadline = DateTime.UtcNow + Patience;
        while (await HealthAsync(what) is var status && status != wanted)
        {
            if (DateTime.UtcNow > deadline)
                throw new TimeoutException($"/health/{what} went on answering {status}:\n{string.Join('\n', Lines)}");
            await Task.Delay(20);
        }
    }

    /// <summary>What <c>/health/live</c> or <c>/health/ready</c> answers.</summary>
    public async Task<HttpStatusCode> HealthAsync(string what)
    {
        using var answer = await Http.GetAsync(new Uri($"{Url}/health/{what}"));
        return answer.StatusCode;
    }

    /// <summary>Connects a SignalR client, with a bearer's token if one is given.</summary>
    public async Task<TestClient> ConnectAsync(
        string? token = null, HttpTransportType transport = HttpTransportType.WebSockets, bool messagePack = true)
    {
        var client = TestClient.Create(Url, token is null ? null : $"Bearer {token}", transport, messagePack);
        lock (_clients)
            _clients.Add(client);
        await client.Connection.StartAsync();
        return client;
    }

    /// <summary>Ends it as <c>kill -9</c> does, and waits for the end.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await ExitAsync();
    }

    /// <summary>Asks it to stop as <c>kill</c> does (SIGTERM), and waits for the end.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        return await ExitAsync();
    }

    /// <summary>Waits until it has ended and all it wrote is read.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        await _output.WaitAsync(Patience);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        if (!_process.HasExited)
            await KillAsync();
        foreach (var client in _clients)
            await client.DisposeAsync();
        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader output)
    {
        while (await output.ReadLineAsync() is { } line)
        {
            lock (_lines)
                _lines.Add(line);
            if (Address().Match(line) is { Success: true } match)
                _url.TrySetResult(match.Groups[1].Value);
        }
    }

    [GeneratedRegex(@"Collab is at (http://\S+)")]
    private static partial Regex Address();

    [GeneratedRegex("^(ASPNETCORE_|DOTNET_ENVIRONMENT$|Collab__|Authentication__|ConnectionStrings__|Logging__)", RegexOptions.IgnoreCase)]
    private static partial Regex Inherited();
}
