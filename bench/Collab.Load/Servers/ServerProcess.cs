using System.Diagnostics;
using System.Net;

namespace Collab.Load.Servers;

/// <summary>A server under test: a process of its own, on a core of its own, with a data folder of its own.</summary>
internal sealed class ServerProcess : IDisposable
{
    private const string Core = "0";
    private const int FirstPort = 7200;
    private const int Ports = 100;
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(2) };
    private static int _started;

    private readonly string _folder = Directory.CreateTempSubdirectory("collab-load-").FullName;
    private Process? _process;

    public ServerProcess(ServerKind kind)
    {
        Kind = kind;
        // Nothing stays behind when the generator is interrupted, or when the server does not start.
        AppDomain.CurrentDomain.ProcessExit += DisposeAtExit;
        try
        {
            Start();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public ServerKind Kind { get; }

    public int Port { get; private set; }

    /// <summary>CPU time and memory until now.</summary>
    public ProcessUsage Usage => ProcessUsage.OfTree(_process!.Id);

    /// <summary>Makes <see cref="ProcessUsage.PeakBytes"/> start anew.</summary>
    public void ResetPeak() => File.WriteAllText($"/proc/{_process!.Id}/clear_refs", "5");

    /// <summary>Ends the process as a power cut would, as far as the process can tell.</summary>
    public void Kill()
    {
        _process!.Kill(); // SIGKILL
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Starts the server again, after <see cref="Kill"/>, on the data that it left.</summary>
    public void Restart() => Start();

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= DisposeAtExit;
        if (_process is not null)
            Kill();
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    private void DisposeAtExit(object? sender, EventArgs e) => Dispose();

    private void Start()
    {
        Port = FirstPort + _started++ % Ports;
        var log = Path.Combine(_folder, "log");
        var start = new ProcessStartInfo("/bin/sh");
        // The shell becomes the server, so that its id is the server's, and the log needs no reader here.
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add($"exec taskset -c {Core} \"$@\" >>'{log}' 2>&1");
        start.ArgumentList.Add("sh");
        foreach (var argument in Kind.Command(Port, _folder))
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in Kind.Environment(Port, _folder))
            start.Environment[name] = value;
        _process = Process.Start(start)!;
        var patience = Stopwatch.StartNew();
        while (!IsReady())
        {
            if (_process.HasExited || patience.Elapsed > TimeSpan.FromSeconds(30))
                throw new InvalidOperationException($"{Kind} did not start:\n{File.ReadAllText(log)}");

            Thread.Sleep(50);
        }
    }

    private bool IsReady()
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{Port}{Kind.ReadyPath}");
            using var response = Http.Send(request);
            return response.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }
}
