namespace Collab.Crdt;

/// <summary>
/// Update format v2 at the border. What comes in is transcoded to format v1, on which applying and the algebra work; a document
/// is written in it straight from its blocks, all else transcoded back.
/// </summary>
/// <remarks>
/// Between the two stands the <i>dialect</i>: format v1 in which embeds and formats may have their value as an Any, as in format v2,
/// and not as a JSON text (<see cref="StructKind.EmbedAny"/>, <see cref="StructKind.FormatAny"/>). So nothing is lost
/// that JSON cannot say, and no JSON is parsed or written on the way. It never leaves the engine.
/// </remarks>
internal static class UpdateV2
{
    /// <summary>Updates up to this size share a writer for each thread, whose buffers stay about as small.</summary>
    private const int MaxKeptBytes = 64 * 1024;

    /// <summary>What the algebra reads with: whatever can be read at all.</summary>
    public static readonly UpdateLimits Lenient = new()
    {
        MaxBytes = int.MaxValue,
        MaxStructs = int.MaxValue,
        MaxDepth = int.MaxValue,
        AllowTrailingBytes = true,
    };

    [ThreadStatic]
    private static UpdateV2Writer? _writer;

    /// <summary>
    /// The update in format v1: with <paramref name="json"/> as yjs' <c>convertUpdateFormatV2ToV1</c> gives it, else in the dialect, and
    /// with the flags of keys as they were. Checked is what format v1 does not show; the rest is for its reader to check.
    /// </summary>
    /// <exception cref="InvalidUpdateException">The bytes are malformed or over the limits.</exception>
    public static byte[] ToV1(ReadOnlySpan<byte> v2, UpdateLimits limits, bool json)
    {
        CheckSize(v2, limits);
        using var writer = new Lib0Writer(2 * Math.Min(v2.Length, 1 << 28) + 64);
        new UpdateV2Reader(v2, limits, json, writer).Run();
        return writer.ToArray();
    }

    /// <summary>
    /// The update in the dialect, after all the checks of <see cref="UpdateValidator"/>. Faults tell their offset in
    /// <paramref name="v2"/>; of what format v2 spreads over its columns, that in the last one.
    /// </summary>
    /// <exception cref="InvalidUpdateException">The bytes are not an update that a Yjs 13 client can have made.</exception>
    public static byte[] ToCheckedV1(ReadOnlySpan<byte> v2, UpdateLimits limits) => ToCheckedV1(v2, limits, null, out _);

    /// <inheritdoc cref="ToCheckedV1(ReadOnlySpan{byte}, UpdateLimits)"/>
    /// <param name="v2">The update.</param>
    /// <param name="limits">The limits.</param>
    /// <param name="sections">Takes the sections of the result, for whoever wants to apply it.</param>
    /// <param name="contents">What there is to apply.</param>
    public static byte[] ToCheckedV1(ReadOnlySpan<byte> v2, UpdateLimits limits, PooledList<UpdateSection>? sections, out UpdateContents contents)
    {
        var v1 = ToV1(v2, limits, json: false);
        try
        {
            contents = UpdateValidator.Check(v1, limits with { MaxBytes = int.MaxValue }, dialect: true, sections);
            return v1;
        }
        catch (InvalidUpdateException invalid)
        {
            using var writer = new Lib0Writer(v1.Length);
            var offset = new UpdateV2Reader(v2, limits, json: false, writer).Run(stopAt: invalid.Fault.Offset);
            throw new InvalidUpdateException(invalid.Fault with { Offset = offset });
        }
    }

    /// <summary>
    /// An update of format v1 or of the dialect in format v2: the bytes that yjs' <c>UpdateEncoderV2</c> gives for these structs.
    /// A <paramref name="conversion"/> does as yjs' <c>convertUpdateFormatV1ToV2</c>: it takes format v1 proper, and drops
    /// the flag of a key where no key follows.
    /// </summary>
    /// <exception cref="InvalidUpdateException">The bytes are malformed.</exception>
    public static byte[] FromV1(ReadOnlySpan<byte> v1OrDialect, bool conversion = false)
    {
        if (v1OrDialect.Length <= MaxKeptBytes)
            return (_writer ??= new UpdateV2Writer()).Encode(v1OrDialect, conversion);
        using var writer = new UpdateV2Writer();
        return writer.Encode(v1OrDialect, conversion);
    }

    /// <summary>All that somebody lacks who knows <paramref name="known"/>, with every delete, in format v2.</summary>
    public static byte[] EncodeState(BlockStore store, IReadOnlyDictionary<ulong, uint>? known)
    {
        var writer = _writer ??= new UpdateV2Writer();
        return Keep(writer, writer.EncodeState(store, known));
    }

    /// <summary>What a transaction has inserted and deleted, in format v2.</summary>
    public static byte[] EncodeTransaction(Transaction transaction)
    {
        var writer = _writer ??= new UpdateV2Writer();
        return Keep(writer, writer.EncodeTransaction(transaction));
    }

    /// <summary>Keeps the thread's writer for the next update, unless this one has made its buffers large.</summary>
    private static byte[] Keep(UpdateV2Writer writer, byte[] update)
    {
        if (update.Length > MaxKeptBytes)
        {
            writer.Dispose();
            _writer = null;
        }
        return update;
    }

    private static void CheckSize(ReadOnlySpan<byte> v2, UpdateLimits limits)
    {
        if (v2.Length > limits.MaxBytes)
            throw Faults.At(UpdateFaultKind.TooLarge, 0, $"{v2.Length} bytes, {limits.MaxBytes} allowed");
    }
}
