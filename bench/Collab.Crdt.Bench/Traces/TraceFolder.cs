using System.IO.Compression;

namespace Collab.Crdt.Bench;

/// <summary>
/// Where the traces are: the folder named by <c>COLLAB_TRACES</c>. Without it, traces of the same shape are made up from a seed
/// and written to a temporary folder, in files of their own names, so that nobody takes their figures for the real ones'.
/// </summary>
internal sealed class TraceFolder
{
    private const string Variable = "COLLAB_TRACES";

    private TraceFolder(string path) => FolderPath = path;

    public static TraceFolder Instance { get; } = Open();

    public string FolderPath { get; }

    /// <summary>The sequential traces there are; the first one is B4, or what stands in for it.</summary>
    public IReadOnlyList<string> Sequential => Existing(SequentialTrace.Suffix, "automerge-paper", "rustcode", "sveltecomponent", "seph-blog1", SyntheticTraces.Sequential);

    /// <summary>The concurrent traces there are.</summary>
    public IReadOnlyList<string> Concurrent => Existing(ConcurrentTrace.Suffix, "friendsforever", "clownschool", SyntheticTraces.Concurrent);

    /// <summary>The unpacked bytes of a trace.</summary>
    public byte[] Read(string name, string suffix)
    {
        using var unpacked = new MemoryStream();
        using (var packed = new GZipStream(File.OpenRead(FileOf(name, suffix)), CompressionMode.Decompress))
            packed.CopyTo(unpacked);
        return unpacked.ToArray();
    }

    private static TraceFolder Open()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
            return new TraceFolder(named);
        var made = new TraceFolder(Path.Combine(Path.GetTempPath(), "collab-synthetic-traces"));
        Directory.CreateDirectory(made.FolderPath);
        made.Write(SyntheticTraces.Sequential, SequentialTrace.Suffix, SyntheticTraces.WriteSequential);
        made.Write(SyntheticTraces.Concurrent, ConcurrentTrace.Suffix, SyntheticTraces.WriteConcurrent);
        Environment.SetEnvironmentVariable(Variable, made.FolderPath); // for the processes that this one starts
        return made;
    }

    private void Write(string name, string suffix, Action<Stream> write)
    {
        if (File.Exists(FileOf(name, suffix)))
            return;
        var unfinished = Path.Combine(FolderPath, Path.GetRandomFileName());
        using (var packed = new GZipStream(File.Create(unfinished), CompressionLevel.Fastest))
            write(packed);
        File.Move(unfinished, FileOf(name, suffix), overwrite: true);
    }

    private string FileOf(string name, string suffix) => Path.Combine(FolderPath, name + suffix);

    private string[] Existing(string suffix, params string[] names) => [.. names.Where(name => File.Exists(FileOf(name, suffix)))];
}
