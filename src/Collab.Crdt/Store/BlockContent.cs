using System.Text;

namespace Collab.Crdt;

/// <summary>Reads the contents of blocks from updates into the heaps, and writes them back (yjs <c>Content…</c> classes).</summary>
internal static class BlockContent
{
    private static ReadOnlySpan<byte> UndefinedJson => "undefined"u8;

    /// <summary>Reads the content that follows the head of a struct and sets the block's kind, length and content.</summary>
    public static void Read(ref Lib0Reader reader, StructKind kind, BlockStore store, ref Block block)
    {
        block.Kind = kind;
        block.Length = 1;
        switch (kind)
        {
            case StructKind.String:
                ReadText(ref reader, store, ref block);
                break;
            case StructKind.Deleted:
                block.Length = reader.ReadClock(UpdateLimits.HighestClock);
                break;
            case StructKind.Any:
                var values = store.Values.Extend(reader.ReadCount(bytesEach: 1));
                block.Length = (uint)values.Length;
                block.Content = store.Values.Used - values.Length;
                AnyEncoding.ReadAll(ref reader, values);
                break;
            case StructKind.Json:
                var texts = store.Values.Extend(reader.ReadCount(bytesEach: 1));
                block.Length = (uint)texts.Length;
                block.Content = store.Values.Used - texts.Length;
                foreach (ref var text in texts)
                    text = ReadJson(ref reader);
                break;
            case StructKind.Binary:
                block.Content = store.Values.Append(reader.ReadVarBytes().ToArray());
                break;
            case StructKind.Embed:
                block.Content = store.Values.Append(ReadJson(ref reader));
                break;
            case StructKind.EmbedAny:
                block.Kind = StructKind.Embed;
                block.Content = store.Values.Append(AnyEncoding.Read(ref reader));
                break;
            case StructKind.Format:
                block.Content = store.Values.Append(Any.Of(ReadFormat(ref reader, store)));
                break;
            case StructKind.FormatAny:
                block.Kind = StructKind.Format;
                var key = ReadString(ref reader);
                block.Content = store.Values.Append(Any.Of(store.Format(key, AnyEncoding.Read(ref reader))));
                break;
            case StructKind.Type:
                var type = (TypeKind)reader.ReadVarUint();
                var name = type is TypeKind.XmlElement or TypeKind.XmlHook ? ReadString(ref reader) : null;
                block.Content = store.NewBranch(type, name).Index;
                break;
            case StructKind.Doc:
                var guid = ReadString(ref reader);
                block.Content = store.Values.Append(Doc.FromContent(guid, AnyEncoding.Read(ref reader)));
                break;
        }
    }

    /// <summary>Drops the first units of a block's content, which another update has brought (yjs <c>splice</c>).</summary>
    public static void DropFirst(BlockStore store, ref Block block, uint count)
    {
        switch (block.Kind)
        {
            case StructKind.String when block.IsWide:
                if (char.IsHighSurrogate(store.Wide[block.Content + (int)count - 1]))
                    store.Wide[block.Content + (int)count] = '\uFFFD';
                store.Wide.Free(block.Content, (int)count);
                break;
            case StructKind.String:
                store.Narrow.Free(block.Content, (int)count);
                break;
            case StructKind.Any or StructKind.Json:
                store.Values.Free(block.Content, (int)count);
                break;
        }
        block.Content += (int)count;
        block.Length -= count;
        block.Clock += count;
    }

    /// <summary>Gives a block the same content as another one; of a shared type only the kind, as it begins anew.</summary>
    public static void Copy(BlockStore store, in Block from, ref Block to)
    {
        to.Kind = from.Kind;
        to.Length = from.Length;
        to.Flags |= from.Flags & BlockFlags.Wide;
        to.Content = from.Kind switch
        {
            StructKind.String when from.IsWide => store.Wide.Append(store.Wide.Slice(from.Content, (int)from.Length)),
            StructKind.String => store.Narrow.Append(store.Narrow.Slice(from.Content, (int)from.Length)),
            StructKind.Any or StructKind.Json => store.Values.Append(store.Values.Slice(from.Content, (int)from.Length)),
            StructKind.Binary or StructKind.Embed or StructKind.Format => store.Values.Append(store.Values[from.Content]),
            StructKind.Doc => store.Values.Append(store.Values[from.Content].AsDoc().Copy()),
            StructKind.Type => store.TypeOf(from) is var type ? store.NewBranch(type.Kind, type.Name).Index : 0,
            _ => 0,
        };
    }

    /// <summary>Writes a block's content from unit <paramref name="offset"/> on.</summary>
    public static void Write<TEncoder>(TEncoder encoder, BlockStore store, in Block block, uint offset)
        where TEncoder : struct, IBlockEncoder
    {
        switch (block.Kind)
        {
            case StructKind.Deleted:
                encoder.WriteLength(block.Length - offset);
                break;
            case StructKind.String when block.IsWide:
                encoder.WriteString(store.Wide.Slice(block.Content, (int)block.Length)[(int)offset..]);
                break;
            case StructKind.String:
                encoder.WriteAscii(store.Narrow.Slice(block.Content, (int)block.Length)[(int)offset..]);
                break;
            case StructKind.Any:
                encoder.WriteLength(block.Length - offset);
                foreach (ref readonly var value in store.Values.Slice(block.Content, (int)block.Length)[(int)offset..])
                    encoder.WriteAny(value);
                break;
            case StructKind.Json:
                encoder.WriteLength(block.Length - offset);
                foreach (ref readonly var value in store.Values.Slice(block.Content, (int)block.Length)[(int)offset..])
                {
                    if (value.IsUndefined)
                        encoder.WriteAscii(UndefinedJson);
                    else
                        encoder.WriteString(AnyJson.Stringify(value));
                }
                break;
            case StructKind.Binary:
                encoder.WriteBytes(store.Values[block.Content].AsBytes().Span);
                break;
            case StructKind.Embed:
                encoder.WriteEmbed(store.Values[block.Content]);
                break;
            case StructKind.Format:
                encoder.WriteFormat(store.FormatOf(block));
                break;
            case StructKind.Type:
                var branch = store.TypeOf(block);
                encoder.WriteType(branch.Kind);
                if (branch.Kind is TypeKind.XmlElement or TypeKind.XmlHook)
                    encoder.WriteName(branch.Name);
                break;
            case StructKind.Doc:
                var doc = store.Values[block.Content].AsDoc();
                encoder.WriteString(doc.Guid);
                encoder.WriteAny(doc.ContentOptions());
                break;
        }
    }

    private static void ReadText(ref Lib0Reader reader, BlockStore store, ref Block block)
    {
        var utf8 = reader.ReadVarBytes();
        if (Ascii.IsValid(utf8))
        {
            block.Content = store.Narrow.Append(utf8);
            block.Length = (uint)utf8.Length;
            return;
        }
        var length = Encoding.UTF8.GetCharCount(utf8);
        block.Content = store.Wide.Used;
        Encoding.UTF8.GetChars(utf8, store.Wide.Extend(length));
        block.Length = (uint)length;
        block.Flags |= BlockFlags.Wide;
    }

    private static FormatMark ReadFormat(ref Lib0Reader reader, BlockStore store)
    {
        var key = ReadString(ref reader);
        var json = reader.ReadVarString();
        return store.Format(key, AnyJson.Parse(json, reader.Position - json.Length));
    }

    private static Any ReadJson(ref Lib0Reader reader)
    {
        var json = reader.ReadVarString();
        return json.SequenceEqual(UndefinedJson) ? Any.Undefined : AnyJson.Parse(json, reader.Position - json.Length);
    }

    /// <summary>JSON has no undefined; only the values of old documents do, as a word of their own.</summary>
    public static Any Defined(in Any value) => value.IsUndefined ? Any.Null : value;

    public static string ReadString(ref Lib0Reader reader) => Encoding.UTF8.GetString(reader.ReadVarString());
}
