using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Collab.Testing;

/// <summary>
/// Compiles a test program to native code. Where there is no native toolchain (its compiler comes from the package registry, the linker from
/// the system), the analyzers for trimming and native compilation must have nothing to say.
/// </summary>
internal sealed class NativeBuild : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    // What publishing says where the package of the compiler, or the linker, cannot be had.
    private static readonly string[] SignsOfNoToolchain = ["NU1101", "NU1102", "NU1301", "NETSDK1204", "Platform linker", "vswhere", "Xcode"];

    private readonly string _artifacts = Directory.CreateTempSubdirectory("collab-aot-").FullName;

    public void Dispose() => Directory.Delete(_artifacts, recursive: true);

    /// <summary>Compiles the program whose project has this name, in <c>tests</c>.</summary>
    /// <returns>Where it is; null where there is no toolchain and the analyzers have nothing to say.</returns>
    public async Task<string?> CompileAsync(string project)
    {
        var (published, log) = await DotnetAsync(project, "publish", "-r", RuntimeInformation.RuntimeIdentifier, "-p:NativeAot=true");
        if (!published && SignsOfNoToolchain.Any(log.Contains))
        {
            var (built, warnings) = await DotnetAsync(project, "build", "-p:TreatWarningsAsErrors=true");
            Assert.True(built, warnings);
            return null;
        }
        Assert.True(published, log);
        Assert.DoesNotContain("warning IL", log, StringComparison.Ordinal);
        var name = OperatingSystem.IsWindows() ? project + ".exe" : project;
        return Directory.EnumerateFiles(Path.Combine(_artifacts, "publish"), name, SearchOption.AllDirectories).Single();
    }

    public static async Task<(bool Succeeded, string Output)> RunAsync(string program, params string[] arguments)
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

    // Builds into a folder of its own, so that it is not in the way of other builds.
    private Task<(bool Succeeded, string Output)> DotnetAsync(string project, string command, params string[] options) =>
        RunAsync("dotnet", [command, ProjectFolder(project), "-c", "Release", "--artifacts-path", _artifacts, "--disable-build-servers", .. options]);

    private static string ProjectFolder(string project, [CallerFilePath] string path = "") =>
        Path.Combine(Path.GetDirectoryName(path)!, "..", project);
}
