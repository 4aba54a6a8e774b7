using System.Buffers.Binary;

namespace Collab.Crdt.Bench;

/// <summary>
/// The updates of several people who write one text at once, one update for each key press, in an order in which they can be
/// applied: <c>NAME.updates.v1.gz</c>, a count and then for each update its length and bytes (numbers are 32 bits, little endian).
/// </summary>
internal sealed record ConcurrentTrace(string Name, IReadOnlyList<ReadOnlyMemory<byte>> Updates)
{
    public const string Suffix = ".updates.v1.gz";

    /// <summary>The trace that benchmarks use: friendsforever, or what stands in for it.</summary>
    public static ConcurrentTrace Default => Read(TraceFolder.Instance.Concurrent[0]);

    public static ConcurrentTrace Read(string name)
    {
        ReadOnlyMemory<byte> rest = TraceFolder.Instance.Read(name, Suffix);
        var updates = new List<ReadOnlyMemory<byte>>(BinaryPrimitives.ReadInt32LittleEndian(rest.Span));
        for (rest = rest[4..]; !rest.IsEmpty;)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(rest.Span);
            updates.Add(rest.Slice(4, length));
            rest = rest[(4 + length)..];
        }
        return new ConcurrentTrace(name, updates);
    }
}
