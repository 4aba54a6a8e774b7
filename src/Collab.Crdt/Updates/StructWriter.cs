namespace Collab.Crdt;

/// <summary>Writes structs that differ from the bytes they came from: cut at the front, or joined from several.</summary>
internal static class StructWriter
{
    /// <summary>U+FFFD, which Yjs writes for half of a surrogate pair.</summary>
    public static ReadOnlySpan<byte> ReplacementCharacter => [0xEF, 0xBF, 0xBD];

    public static void WriteGc(Lib0Writer writer, uint length)
    {
        writer.WriteByte((byte)StructKind.Gc);
        writer.WriteVarUint(length);
    }

    public static void WriteSkip(Lib0Writer writer, uint length)
    {
        writer.WriteByte((byte)StructKind.Skip);
        writer.WriteVarUint(length);
    }

    /// <summary>Writes what is left of a struct without its first <paramref name="offset"/> units.</summary>
    public static void WriteCut(Lib0Writer writer, ReadOnlySpan<byte> update, in StructHeader header, ulong client, uint offset)
    {
        switch (header.Kind)
        {
            case StructKind.Gc:
                WriteGc(writer, header.Length - offset);
                return;
            case StructKind.Skip:
                WriteSkip(writer, header.Length - offset);
                return;
        }
        WriteCutHead(writer, update, header, client, offset);
        switch (header.Kind)
        {
            case StructKind.Deleted:
                writer.WriteVarUint(header.Length - offset);
                break;
            case StructKind.String:
                var text = TextFrom(update, header, offset, out var splitsPair);
                writer.WriteVarUint((ulong)(text.Length + (splitsPair ? ReplacementCharacter.Length : 0)));
                if (splitsPair)
                    writer.WriteBytes(ReplacementCharacter);
                writer.WriteBytes(text);
                break;
            default:
                writer.WriteVarUint(header.Length - offset);
                writer.WriteBytes(ValuesFrom(update, header, offset));
                break;
        }
    }

    /// <summary>
    /// The head of a cut struct: its origin is the unit before the cut, so its parent is known from there. Yjs keeps the
    /// key's flag, though no key follows.
    /// </summary>
    private static void WriteCutHead(Lib0Writer writer, ReadOnlySpan<byte> update, in StructHeader header, ulong client, uint offset)
    {
        writer.WriteByte((byte)(StructHeader.Canonical(header.Info) | StructHeader.HasOrigin));
        writer.WriteVarUint(client);
        writer.WriteVarUint(header.Clock + offset - 1);
        writer.WriteBytes(header.RightOrigin(update));
    }

    /// <summary>
    /// A text without its first <paramref name="offset"/> units. When the cut splits a surrogate pair, the half that is left
    /// is to be written as U+FFFD before the bytes returned, as Yjs does.
    /// </summary>
    private static ReadOnlySpan<byte> TextFrom(ReadOnlySpan<byte> update, in StructHeader header, uint offset, out bool splitsPair)
    {
        var reader = new Lib0Reader(update) { Position = header.Content };
        var text = reader.ReadVarBytes();
        return text[Utf16Length.ByteOffset(text, offset, out splitsPair)..];
    }

    /// <summary>The bytes of a struct's values (Any or JSON) without the first <paramref name="offset"/>.</summary>
    private static ReadOnlySpan<byte> ValuesFrom(ReadOnlySpan<byte> update, in StructHeader header, uint offset)
    {
        var reader = new Lib0Reader(update) { Position = header.Content };
        reader.ReadVarUint();
        for (var i = 0u; i < offset; i++)
        {
            if (header.Kind == StructKind.Any)
                AnyValue.Skip(ref reader, int.MaxValue);
            else
                reader.ReadVarBytes();
        }
        return update[reader.Position..header.End];
    }

    /// <summary>
    /// Writes neighbouring runs as one: the head of the first, then the content of all. They must be of one kind and follow
    /// one another as <see cref="UpdateMerge"/> has found.
    /// </summary>
    public static void WriteJoined(
        Lib0Writer writer, IReadOnlyList<ReadOnlyMemory<byte>> updates, ulong client, ReadOnlySpan<Piece> pieces, ReadOnlySpan<StructHeader> structs)
    {
        var total = 0u;
        foreach (ref readonly var piece in pieces)
            total += piece.Length;

        ref readonly var first = ref pieces[0];
        switch (first.Kind)
        {
            case PieceKind.Gc:
                WriteGc(writer, total);
                return;
            case PieceKind.Cut:
                WriteCutHead(writer, updates[first.Update].Span, structs[first.Struct], client, first.Offset);
                break;
            default:
                WriteHead(writer, updates[first.Update].Span, structs[first.Struct]);
                break;
        }
        switch (structs[first.Struct].Kind)
        {
            case StructKind.Deleted:
                writer.WriteVarUint(total);
                break;
            case StructKind.String:
                WriteTexts(writer, updates, pieces, structs);
                break;
            default:
                writer.WriteVarUint(total);
                foreach (ref readonly var piece in pieces)
                    writer.WriteBytes(ValuesFrom(updates[piece.Update].Span, structs[piece.Struct], piece.Offset));
                break;
        }
    }

    private static void WriteTexts(
        Lib0Writer writer, IReadOnlyList<ReadOnlyMemory<byte>> updates, ReadOnlySpan<Piece> pieces, ReadOnlySpan<StructHeader> structs)
    {
        var bytes = 0;
        foreach (ref readonly var piece in pieces)
        {
            bytes += TextFrom(updates[piece.Update].Span, structs[piece.Struct], piece.Offset, out var splitsPair).Length;
            bytes += splitsPair ? ReplacementCharacter.Length : 0;
        }
        writer.WriteVarUint((ulong)bytes);
        foreach (ref readonly var piece in pieces)
        {
            var text = TextFrom(updates[piece.Update].Span, structs[piece.Struct], piece.Offset, out var splitsPair);
            if (splitsPair)
                writer.WriteBytes(ReplacementCharacter);
            writer.WriteBytes(text);
        }
    }

    private static void WriteHead(Lib0Writer writer, ReadOnlySpan<byte> update, in StructHeader header)
    {
        writer.WriteByte(StructHeader.Canonical(header.Info));
        writer.WriteBytes(update[(header.Start + 1)..header.Content]);
    }
}
