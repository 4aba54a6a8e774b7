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

    private void WriteString(ReadOnlySpan<char> text) => _strings.Write(text);

    private void WriteKey(ReadOnlySpan<char> text)
    {
        _keyClocks.Write(_keyClock++);
        _strings.Write(text);
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
            to.WriteString(name);
        }

        public void WriteParentId(ulong client, uint clock)
        {
            to._parentInfos.Write(0);
            WriteLeftId(client, clock);
        }

        public void WriteString(string text) => to.WriteString(text);

        public void WriteContent(BlockStore store, in Block block, uint offset)
        {
            switch (block.Kind)
            {
                case StructKind.Deleted:
                    to._lengths.Write(block.Length - offset);
                    break;
                case StructKind.String when block.IsWide:
                    to.WriteString(store.Wide.Slice(block.Content, (int)block.Length)[(int)offset..]);
                    break;
                case StructKind.String:
                    to._strings.Write(store.Narrow.Slice(block.Content, (int)block.Length)[(int)offset..], block.Length - offset);
                    break;
                case StructKind.Any:
                    to._lengths.Write(block.Length - offset);
                    foreach (ref readonly var value in store.Values.Slice(block.Content, (int)block.Length)[(int)offset..])
                        AnyEncoding.Write(to._rest, value);
                    break;
                case StructKind.Json:
                    to._lengths.Write(block.Length - offset);
                    foreach (ref readonly var value in store.Values.Slice(block.Content, (int)block.Length)[(int)offset..])
                        to.WriteString(value.IsUndefined ? "undefined" : AnyJson.Stringify(value));
                    break;
                case StructKind.Binary:
                    to._rest.WriteVarBytes(store.Values[block.Content].AsBytes().Span);
                    break;
                case StructKind.Embed:
                    AnyEncoding.Write(to._rest, store.Values[block.Content]);
                    break;
                case StructKind.Format:
                    var mark = store.FormatOf(block);
                    to.WriteKey(mark.Key.AsSpan());
                    AnyEncoding.Write(to._rest, mark.Value);
                    break;
                case StructKind.Type:
                    var branch = store.TypeOf(block);
                    to._typeRefs.Write((ulong)branch.Kind);
                    if (branch.Kind is TypeKind.XmlElement or TypeKind.XmlHook)
                        to.WriteKey(branch.Name.AsSpan());
                    break;
                default:
                    var doc = store.Values[block.Content].AsDoc();
                    to.WriteString(doc.Guid);
                    AnyEncoding.Write(to._rest, doc.ContentOptions());
                    break;
            }
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
