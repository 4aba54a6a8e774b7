namespace Collab.Crdt;

/// <content>Writes what a document holds, straight from its blocks.</content>
internal sealed partial class UpdateV2Writer
{
    /// <summary>All that somebody lacks who knows <paramref name="known"/>, with every delete.</summary>
    public byte[] EncodeState(BlockStore store, IReadOnlyDictionary<ulong, uint>? known)
    {
        Clear();
        StateEncoder.WriteState(new BlockEncoder(this), store, known);
        return Assemble();
    }

    /// <summary>What a transaction has inserted and deleted.</summary>
    public byte[] EncodeTransaction(Transaction transaction)
    {
        Clear();
        StateEncoder.WriteTransaction(new BlockEncoder(this), transaction);
        return Assemble();
    }

    private readonly struct BlockEncoder(UpdateV2Writer to) : IBlockEncoder
    {
        public void WriteCount(int count) => to._rest.WriteVarUint((ulong)count);

        public void BeginSection(int structs, ulong client, uint clock)
        {
            to._rest.WriteVarUint((ulong)structs);
            to._clients.Write(client);
            to._rest.WriteVarUint(clock);
        }

        public void WriteInfo(StructKind kind, byte flags) => to._infos.Write((byte)((byte)kind | flags));

        public void WriteLength(uint length) => to._lengths.Write(length);

        public void WriteLeftId(ulong client, uint clock)
        {
            to._clients.Write(client);
            to._leftClocks.Write(clock);
        }

        public void WriteRightId(ulong client, uint clock)
        {
            to._clients.Write(client);
            to._rightClocks.Write(clock);
        }

        public void WriteRoot(string? name)
        {
            to._parentInfos.Write(1);
            WriteString(name);
        }

        public void WriteParentId(ulong client, uint clock)
        {
            to._parentInfos.Write(0);
            WriteLeftId(client, clock);
        }

        public void WriteString(ReadOnlySpan<char> text) => to._strings.Write(text);

        public void WriteAscii(ReadOnlySpan<byte> text) => to._strings.Write(text, (uint)text.Length);

        public void WriteAny(in Any value) => AnyEncoding.Write(to._rest, value);

        public void WriteBytes(ReadOnlySpan<byte> bytes) => to._rest.WriteVarBytes(bytes);

        public void WriteEmbed(in Any value) => WriteAny(value);

        public void WriteFormat(FormatMark mark)
        {
            WriteName(mark.Key);
            WriteAny(mark.Value);
        }

        public void WriteType(TypeKind kind) => to._typeRefs.Write((ulong)kind);

        public void WriteName(ReadOnlySpan<char> name)
        {
            to._keyClocks.Write(to._keyClock++);
            WriteString(name);
        }

        public void WriteDeletes(ulong client, ReadOnlySpan<ClientRange> ranges)
        {
            to._rest.WriteVarUint(client);
            to._rest.WriteVarUint((ulong)ranges.Length);
            var clock = 0u;
            foreach (ref readonly var range in ranges)
            {
                to._rest.WriteVarUint(range.Clock - clock);
                to._rest.WriteVarUint(range.Length - 1);
                clock = range.Clock + range.Length;
            }
        }
    }
}
