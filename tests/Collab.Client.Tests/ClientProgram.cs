using System.Diagnostics;

namespace Collab.Client.Tests;

/// <summary><c>Collab.Client.Program</c> in a process of its own, which takes commands and can be killed.</summary>
internal sealed class ClientProgram : IDisposable
{
    private readonly Process _process;

    private ClientProgram(Process process) => _process = process;

    /// <param name="native">The natively compiled program; null for the managed one.</param>
    /// <param name="arguments">See the program.</param>
    public static async Task<ClientProgram> StartAsync(string? native, params string[] arguments)
    {
        var dll = Path.Combine(AppContext.BaseDirectory, "Collab.Client.Program.dll");
        var start = new ProcessStartInfo(native ?? "dotnet", native is null ? [dll, .. arguments] : arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var program = new ClientProgram(Process.Start(start)!);
        Assert.Equal("ready", await program.ReadAsync());
        return program;
    }

    /// <summary>Gives it a command.</summary>
    /// <returns>Its answer.</returns>
    public async Task<string?> AskAsync(string command)
    {
        await _process.StandardInput.WriteLineAsync(command);
        await _process.StandardInput.FlushAsync();
        return await ReadAsync();
    }

    /// <summary>Ends it as <c>kill -9</c> does.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().SoonAsync();
    }

    /// <summary>Lets it end in good order.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> EndAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync().SoonAsync();
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    private Task<string?> ReadAsync() => _process.StandardOutput.ReadLineAsync().SoonAsync();
}
