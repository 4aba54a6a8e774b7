namespace Collab.Testing;

/// <summary>A folder of its own for one test, deleted afterwards.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("collab-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
