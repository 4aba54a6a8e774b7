namespace Collab.Crdt;

/// <summary>Writes blocks in format v1, or in the dialect of <see cref="UpdateV2"/>, which has values as Any.</summary>
internal readonly struct BlockEncoderV1(Lib0Writer writer, bool anyDialect) : IBlockEncoder
{
    public void WriteCount(int count) => writer.WriteVarUint((ulong)count);

    public void BeginSection(int structs, ulong client, uint clock)
    {
        writer.WriteVarUint((ulong)structs);
        writer.WriteVarUint(client);
        writer.WriteVarUint(clock);
    }

    public void WriteInfo(StructKind kind, byte flags)
    {
        var written = (anyDialect, kind) switch
        {
            (true, StructKind.Embed) => StructKind.EmbedAny,
            (true, StructKind.Format) => StructKind.FormatAny,
            _ => kind,
        };
        writer.WriteByte((byte)((byte)written | flags));
    }

    public void WriteLength(uint length) => writer.WriteVarUint(length);

    public void WriteLeftId(ulong client, uint clock) => WriteId(client, clock);

    public void WriteRightId(ulong client, uint clock) => WriteId(client, clock);

    public void WriteRoot(string? name)
    {
        writer.WriteByte(1);
        writer.WriteVarString(name);
    }

    public void WriteParentId(ulong client, uint clock)
    {
        writer.WriteByte(0);
        WriteId(client, clock);
    }

    public void WriteString(ReadOnlySpan<char> text) => writer.WriteVarString(text);

    public void WriteAscii(ReadOnlySpan<byte> text) => writer.WriteVarBytes(text);

    public void WriteAny(in Any value) => AnyEncoding.Write(writer, value);

    public void WriteBytes(ReadOnlySpan<byte> bytes) => writer.WriteVarBytes(bytes);

    public void WriteEmbed(in Any value)
    {
        if (anyDialect)
            WriteAny(value);
        else
            writer.WriteVarString(AnyJson.Stringify(BlockContent.Defined(value)));
    }

    public void WriteFormat(FormatMark mark)
    {
        writer.WriteVarString(mark.Key);
        if (anyDialect)
            WriteAny(mark.Value);
        else
            writer.WriteVarBytes(mark.Json);
    }

    public void WriteType(TypeKind kind) => writer.WriteVarUint((ulong)kind);

    public void WriteName(ReadOnlySpan<char> name) => writer.WriteVarString(name);

    public void WriteDeletes(ulong client, ReadOnlySpan<ClientRange> ranges)
    {
        writer.WriteVarUint(client);
        writer.WriteVarUint((ulong)ranges.Length);
        foreach (ref readonly var range in ranges)
        {
            writer.WriteVarUint(range.Clock);
            writer.WriteVarUint(range.Length);
        }
    }

    private void WriteId(ulong client, uint clock)
    {
        writer.WriteVarUint(client);
        writer.WriteVarUint(clock);
    }
}
