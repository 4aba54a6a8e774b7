using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Collab.Crdt.Tests;

/// <summary>
/// The engine works without a just-in-time compiler: <c>tests/Collab.Crdt.Aot</c> is compiled to a native program and run. Where
/// there is no native toolchain (its compiler comes from the package registry, the linker from the system), the analyzers for
/// trimming and native compilation must have nothing to say.
/// </summary>
public sealed class NativeAotTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    // What publishing says where the package of the compiler, or the linker, cannot be had.
    private static readonly string[] SignsOfNoToolchain = ["NU1101", "NU1102", "NU1301", "NETSDK1204", "Platform linker", "vswhere", "Xcode"];

    private readonly string _artifacts = Directory.CreateTempSubdirectory("collab-aot-").FullName;

    public void Dispose() => Directory.Delete(_artifacts, recursive: true);

    [Fact]
    public async Task The_engine_runs_as_a_native_program()
    {
        var (published, log) = await DotnetAsync("publish", "-r", RuntimeInformation.RuntimeIdentifier, "-p:NativeAot=true");
        if (!published && SignsOfNoToolchain.Any(log.Contains))
        {
            var (built, warnings) = await DotnetAsync("build", "-p:TreatWarningsAsErrors=true");
            Assert.True(built, warnings);
            return;
        }
        Assert.True(published, log);
        Assert.DoesNotContain("warning IL", log, StringComparison.Ordinal);

        var name = OperatingSystem.IsWindows() ? "Collab.Crdt.Aot.exe" : "Collab.Crdt.Aot";
        var program = Directory.EnumerateFiles(Path.Combine(_artifacts, "publish"), name, SearchOption.AllDirectories).Single();
        var (succeeded, output) = await RunAsync(program);
        Assert.True(succeeded, output);
        Assert.Equal("OK", output.Trim());
    }

    // Builds into a folder of its own, so that it is not in the way of other builds.
    private Task<(bool Succeeded, string Output)> DotnetAsync(string command, params string[] options) =>
        RunAsync("dotnet", [command, ProjectFolder(), "-c", "Release", "--artifacts-path", _artifacts, "--disable-build-servers", .. options]);

    private static async Task<(bool Succeeded, string Output)> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        return (process.ExitCode == 0, await output + await errors);
    }

    private static string ProjectFolder([CallerFilePath] string path = "") =>
        Path.Combine(Path.GetDirectoryName(path)!, "..", "Collab.Crdt.Aot");
}
