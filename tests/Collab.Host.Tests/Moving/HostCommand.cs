using System.Diagnostics;
using Collab.Testing;

namespace Collab.Host.Tests.Moving;

/// <summary>A command of the host, run to its end.</summary>
/// <param name="Code">The exit code.</param>
/// <param name="Output">What it wrote to standard output.</param>
/// <param name="Errors">What it wrote to standard error.</param>
internal sealed record HostCommand(int Code, string Output, string Errors)
{
    public static Task<HostCommand> RunAsync(params string[] arguments) => RunAsync("", arguments);

    /// <summary>Runs it with something on its standard input.</summary>
    public static async Task<HostCommand> RunAsync(string input, string[] arguments)
    {
        using var process = Start(arguments);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        return new(process.ExitCode, await output, await errors);
    }

    /// <summary>Starts it.</summary>
    public static Process Start(params string[] arguments) => Process.Start(new ProcessStartInfo("dotnet", [HostProcess.Program, .. arguments])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;
}
