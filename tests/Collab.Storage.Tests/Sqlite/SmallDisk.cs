using System.Diagnostics;

namespace Collab.Storage.Sqlite;

/// <summary>A file system of 4 MB in memory, mounted over a folder, which can really be full or read-only, for root too.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string _folder;

    public SmallDisk(string folder)
    {
        _folder = folder;
        Assert.True(Run("mount", "-t", "tmpfs", "-o", "size=4m", "collab-test", folder));
    }

    /// <summary>Whether this process may mount.</summary>
    public static bool Permitted { get; } = TryOnce();

    /// <summary>Takes all the space that is left.</summary>
    /// <returns>The file that takes it.</returns>
    public string FillUp()
    {
        var ballast = Path.Combine(_folder, "ballast");
        using var file = new FileStream(ballast, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true)
                file.Write(new byte[4096]);
        }
        catch (IOException)
        {
            return ballast;
        }
    }

    public void Remount(string mode) => Assert.True(Run("mount", "-o", $"remount,{mode}", _folder));

    public void Dispose() => Run("umount", "--lazy", _folder);

    private static bool TryOnce()
    {
        using var folder = new DataFolder();
        return OperatingSystem.IsLinux()
            && Run("mount", "-t", "tmpfs", "-o", "size=1m", "collab-test", folder.Path)
            && Run("umount", folder.Path);
    }

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}

/// <summary>A test that mounts file systems, which needs root.</summary>
internal sealed class MountFactAttribute : FactAttribute
{
    public MountFactAttribute()
    {
        if (!SmallDisk.Permitted)
            Skip = "needs the right to mount a file system";
    }
}
