namespace Collab.Crdt;

/// <summary>
/// The algebra of Yjs updates on bytes: no document is built, so merging, comparing and checking cost about as much as reading
/// the bytes. Results are those of Yjs 13.6; <c>docs/engine.md</c> lists the few deliberate differences.
/// </summary>
/// <remarks>
/// All methods are pure and safe for concurrent use. Bytes that are not an update throw <see cref="InvalidUpdateException"/>.
/// The algebra checks what it must read; whether a Yjs client can have made the bytes, only <see cref="ValidateV1"/> and
/// <see cref="ValidateV2"/> tell. Format v2 is transcoded to v1 and back, which costs about twice as much as v1 itself. State
/// vectors are the same in both formats.
/// </remarks>
public static class Updates
{
    /// <summary>The update that says nothing: no structs and no deletes (two bytes, 0).</summary>
    public static ReadOnlySpan<byte> EmptyV1 => [0, 0];

    /// <summary>
    /// Merges updates into one with the same effect (Yjs <c>mergeUpdates</c>). Gaps are kept as such. Updates may overlap,
    /// repeat one another and come in any order.
    /// </summary>
    /// <param name="updates">The updates; a single one is returned as it is, none make <see cref="EmptyV1"/>.</param>
    /// <returns>The merged update, in a new array.</returns>
    /// <exception cref="InvalidUpdateException">One of them is not an update.</exception>
    public static byte[] MergeV1(IReadOnlyList<ReadOnlyMemory<byte>> updates)
    {
        ArgumentNullException.ThrowIfNull(updates);
        if (updates.Count != 1)
            return UpdateMerge.Merge(updates, join: false);
        UpdateDiff.CheckReadable(updates[0].Span);
        return updates[0].ToArray();
    }

    /// <summary>
    /// Merges updates like <see cref="MergeV1"/> and joins neighbouring runs that are one, as a document does: typed text
    /// costs bytes for each run and not for each key press. A document that applies the result is the same as one that
    /// applies the updates.
    /// </summary>
    /// <param name="updates">The updates, one or more to compact, or none for <see cref="EmptyV1"/>.</param>
    /// <returns>The compacted update, in a new array.</returns>
    /// <exception cref="InvalidUpdateException">One of them is not an update.</exception>
    public static byte[] CompactV1(IReadOnlyList<ReadOnlyMemory<byte>> updates)
    {
        ArgumentNullException.ThrowIfNull(updates);
        return UpdateMerge.Merge(updates, join: true);
    }

    /// <summary>
    /// What <paramref name="update"/> adds to a peer with <paramref name="stateVector"/> (Yjs <c>diffUpdate</c>). The delete set
    /// is kept whole, because a state vector does not tell which deletes the peer knows.
    /// </summary>
    /// <param name="update">The update.</param>
    /// <param name="stateVector">What the peer knows.</param>
    /// <returns>The difference, in a new array.</returns>
    /// <exception cref="InvalidUpdateException">One of the two is malformed.</exception>
    public static byte[] DiffV1(ReadOnlySpan<byte> update, ReadOnlySpan<byte> stateVector) => UpdateDiff.Diff(update, stateVector);

    /// <summary>
    /// The state vector of who has applied <paramref name="update"/> alone (Yjs <c>encodeStateVectorFromUpdate</c>): for each
    /// client, what reaches from clock 0 without a gap.
    /// </summary>
    /// <param name="update">The update.</param>
    /// <returns>The encoded state vector, in a new array.</returns>
    /// <exception cref="InvalidUpdateException">The bytes are not an update.</exception>
    public static byte[] StateVectorV1(ReadOnlySpan<byte> update) => UpdateDiff.StateVectorOf(update);

    /// <summary>True when the update inserts nothing and deletes nothing.</summary>
    /// <param name="update">The update.</param>
    /// <exception cref="InvalidUpdateException">The bytes are not an update.</exception>
    public static bool IsEmptyV1(ReadOnlySpan<byte> update) => UpdateDiff.IsEmpty(update);

    /// <summary>
    /// True when <paramref name="update"/> holds, in whatever form, every unit that <paramref name="other"/> inserts, also behind gaps,
    /// and every delete: who has applied it lacks nothing of the other.
    /// </summary>
    /// <param name="update">The update that is to hold everything.</param>
    /// <param name="other">The update that is looked for in it.</param>
    /// <exception cref="InvalidUpdateException">One of the two is not an update.</exception>
    public static bool CoversV1(ReadOnlySpan<byte> update, ReadOnlySpan<byte> other) => UpdateCover.Covers(update, other);

    /// <summary>
    /// The clients under whose ids <paramref name="update"/> inserts what <paramref name="known"/> does not hold: with
    /// <see cref="EmptyV1"/> all under whose ids it inserts anything.
    /// </summary>
    /// <param name="update">The update.</param>
    /// <param name="known">The update that is looked in.</param>
    /// <returns>Each client once.</returns>
    /// <exception cref="InvalidUpdateException">One of the two is not an update.</exception>
    public static IReadOnlyList<ulong> InsertersV1(ReadOnlySpan<byte> update, ReadOnlySpan<byte> known) =>
        UpdateCover.Inserters(update, known);

    /// <summary>
    /// Checks bytes from a stranger: null when a Yjs 13 client can have made them, else the first fault. The cost is linear in
    /// the bytes; no claimed count or length makes it allocate, and no nesting overflows the stack.
    /// </summary>
    /// <param name="update">The bytes.</param>
    /// <param name="limits">The limits on sizes, clocks and nesting.</param>
    /// <returns>The first fault found, or null.</returns>
    public static UpdateFault? ValidateV1(ReadOnlySpan<byte> update, UpdateLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        try
        {
            UpdateValidator.Check(update, limits);
            return null;
        }
        catch (InvalidUpdateException invalid)
        {
            return invalid.Fault;
        }
    }

    /// <summary>The update in format v2 that says nothing (13 bytes).</summary>
    public static ReadOnlySpan<byte> EmptyV2 => [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];

    /// <summary>Merges updates like <see cref="MergeV1"/>, in format v2 (Yjs <c>mergeUpdatesV2</c>).</summary>
    /// <param name="updates">The updates; a single one is returned as it is, none make <see cref="EmptyV2"/>.</param>
    /// <returns>The merged update, in a new array.</returns>
    /// <exception cref="InvalidUpdateException">One of them is not an update of format v2.</exception>
    public static byte[] MergeV2(IReadOnlyList<ReadOnlyMemory<byte>> updates)
    {
        ArgumentNullException.ThrowIfNull(updates);
        if (updates.Count != 1)
            return UpdateV2.FromV1(UpdateMerge.Merge(InDialect(updates), join: false, dialect: true));
        InDialect(updates[0].Span);
        return updates[0].ToArray();
    }

    /// <summary>Merges updates and joins neighbouring runs like <see cref="CompactV1"/>, in format v2.</summary>
    /// <param name="updates">The updates, one or more to compact, or none for <see cref="EmptyV2"/>.</param>
    /// <returns>The compacted update, in a new array.</returns>
    /// <exception cref="InvalidUpdateException">One of them is not an update of format v2.</exception>
    public static byte[] CompactV2(IReadOnlyList<ReadOnlyMemory<byte>> updates)
    {
        ArgumentNullException.ThrowIfNull(updates);
        return UpdateV2.FromV1(UpdateMerge.Merge(InDialect(updates), join: true, dialect: true));
    }

    /// <summary>What <paramref name="update"/> adds to a peer, like <see cref="DiffV1"/>, in format v2 (Yjs <c>diffUpdateV2</c>).</summary>
    /// <param name="update">The update.</param>
    /// <param name="stateVector">What the peer knows.</param>
    /// <returns>The difference, in a new array.</returns>
    /// <exception cref="InvalidUpdateException">One of the two is malformed.</exception>
    public static byte[] DiffV2(ReadOnlySpan<byte> update, ReadOnlySpan<byte> stateVector) =>
        UpdateV2.FromV1(UpdateDiff.Diff(InDialect(update), stateVector, dialect: true));

    /// <summary>The state vector of who has applied <paramref name="update"/> alone (Yjs <c>encodeStateVectorFromUpdateV2</c>).</summary>
    /// <param name="update">The update, in format v2.</param>
    /// <returns>The encoded state vector, in a new array.</returns>
    /// <exception cref="InvalidUpdateException">The bytes are not an update of format v2.</exception>
    public static byte[] StateVectorV2(ReadOnlySpan<byte> update) => UpdateDiff.StateVectorOf(InDialect(update), dialect: true);

    /// <summary>True when the update inserts nothing and deletes nothing.</summary>
    /// <param name="update">The update, in format v2.</param>
    /// <exception cref="InvalidUpdateException">The bytes are not an update of format v2.</exception>
    public static bool IsEmptyV2(ReadOnlySpan<byte> update) => UpdateDiff.IsEmpty(InDialect(update), dialect: true);

    /// <summary>
    /// Checks bytes from a stranger, like <see cref="ValidateV1"/>: null when a Yjs 13 client can have made them in format v2. A few
    /// bytes can stand for many structs, so those are limited by the bytes too.
    /// </summary>
    /// <param name="update">The bytes.</param>
    /// <param name="limits">The limits on sizes, clocks and nesting.</param>
    /// <returns>The first fault found, or null. The offset is that in <paramref name="update"/>.</returns>
    public static UpdateFault? ValidateV2(ReadOnlySpan<byte> update, UpdateLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        try
        {
            UpdateV2.ToCheckedV1(update, limits);
            return null;
        }
        catch (InvalidUpdateException invalid)
        {
            return invalid.Fault;
        }
    }

    /// <summary>
    /// An update of format v1 in format v2 (Yjs <c>convertUpdateFormatV1ToV2</c>). The JSON texts of embeds and formats become values;
    /// unlike in Yjs, members whose names are integers keep their place.
    /// </summary>
    /// <param name="update">The update, in format v1.</param>
    /// <returns>The update in format v2, in a new array.</returns>
    /// <exception cref="InvalidUpdateException">The bytes are not an update of format v1, or a JSON text in it is malformed or nested over 1,000 deep.</exception>
    public static byte[] ConvertV1ToV2(ReadOnlySpan<byte> update) => UpdateV2.FromV1(update, conversion: true);

    /// <summary>
    /// An update of format v2 in format v1 (Yjs <c>convertUpdateFormatV2ToV1</c>). The values of embeds and formats become JSON texts,
    /// so there undefined and bytes are lost as in Yjs, and 64-bit integers become plain ones.
    /// </summary>
    /// <param name="update">The update, in format v2.</param>
    /// <returns>The update in format v1, in a new array.</returns>
    /// <exception cref="InvalidUpdateException">The bytes are not an update of format v2, or a value in it is nested over 1,000 deep.</exception>
    public static byte[] ConvertV2ToV1(ReadOnlySpan<byte> update) => UpdateV2.ToV1(update, UpdateV2.Lenient, json: true);

    private static byte[] InDialect(ReadOnlySpan<byte> update) => UpdateV2.ToV1(update, UpdateV2.Lenient, json: false);

    private static ReadOnlyMemory<byte>[] InDialect(IReadOnlyList<ReadOnlyMemory<byte>> updates)
    {
        var inDialect = new ReadOnlyMemory<byte>[updates.Count];
        for (var i = 0; i < inDialect.Length; i++)
            inDialect[i] = InDialect(updates[i].Span);
        return inDialect;
    }
}
