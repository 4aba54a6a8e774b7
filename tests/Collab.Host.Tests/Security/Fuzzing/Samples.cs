using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Collab.Crdt.Tests.Documents;

namespace Collab.Host.Tests.Security.Fuzzing;

/// <summary>Updates, state vectors and awareness that yjs has made, and broken ones: from the vectors of <c>Collab.Crdt.Tests</c>.</summary>
internal sealed class Samples
{
    // What is larger would make the run about sizes alone.
    private const int MaxBytes = 16 * 1024;

    private readonly byte[][] _updates;
    private readonly byte[][] _stateVectors;
    private readonly byte[][] _awareness;
    private readonly byte[][] _malformed;

    public Samples()
    {
        var cases = Lines("public.jsonl.gz").Select(line => JsonElement.Parse(line)).ToArray();
        var documents = cases.Where(one => KindOf(one) == "doc").ToArray();
        _updates = Small(documents.SelectMany(one => one.GetProperty("updates").EnumerateArray()).Select(update => update.GetProperty("v1")));
        _stateVectors = Small(documents.Select(one => one.GetProperty("expect").GetProperty("svBytes")));
        _awareness = Small(cases.Where(one => KindOf(one) == "protocol")
            .SelectMany(one => one.GetProperty("awareness").EnumerateArray()).Select(update => update.GetProperty("update")));
        _malformed = [.. JsonElement.Parse(string.Join('\n', Lines("malformed.json.gz"))).EnumerateArray()
            .Select(one => Convert.FromHexString(one.GetProperty("hex").GetString()!)).Where(bytes => bytes.Length <= MaxBytes)];
        Assert.All([_updates, _stateVectors, _awareness, _malformed], Assert.NotEmpty);
    }

    public byte[] Update(Random random) => random.Pick(_updates);

    public byte[] StateVector(Random random) => random.Pick(_stateVectors);

    public byte[] Awareness(Random random) => random.Pick(_awareness);

    public byte[] BrokenUpdate(Random random) => random.OneIn(8) ? random.Pick(_malformed) : Mutations.Damage(random, Update(random), Update(random));

    public byte[] BrokenStateVector(Random random) => Mutations.Damage(random, StateVector(random), Update(random));

    public byte[] BrokenAwareness(Random random) => Mutations.Damage(random, Awareness(random), Update(random));

    private static string? KindOf(JsonElement one) => one.TryGetProperty("kind", out var kind) ? kind.GetString() : null;

    private static byte[][] Small(IEnumerable<JsonElement> base64) =>
        [.. base64.Select(one => one.GetBytesFromBase64()).Where(bytes => bytes.Length <= MaxBytes)];

    private static IEnumerable<string> Lines(string file, [CallerFilePath] string here = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(here)!, "../../../Collab.Crdt.Tests/vectors", file);
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0)
                yield return line;
        }
    }
}
