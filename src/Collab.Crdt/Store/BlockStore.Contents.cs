namespace Collab.Crdt;

/// <summary>The contents of blocks in the heaps.</summary>
internal sealed partial class BlockStore
{
    private readonly FormatMark?[] _recentFormats = new FormatMark?[8];
    private int _nextRecentFormat;

    /// <summary>The mark that a block of kind <see cref="StructKind.Format"/> is.</summary>
    public FormatMark FormatOf(in Block block) => (FormatMark)Values[block.Content].Reference!;

    /// <summary>Copies the text of a block to the start of <paramref name="target"/>.</summary>
    public void CopyText(in Block block, Span<char> target)
    {
        if (block.IsWide)
            Wide.Slice(block.Content, (int)block.Length).CopyTo(target);
        else
            System.Text.Ascii.ToUtf16(Narrow.Slice(block.Content, (int)block.Length), target, out _);
    }

    /// <summary>The text of a block.</summary>
    public string TextOf(in Block block) =>
        block.IsWide ? new string(Wide.Slice(block.Content, (int)block.Length))
        : System.Text.Encoding.ASCII.GetString(Narrow.Slice(block.Content, (int)block.Length));

    /// <summary>A mark; equal ones in a row are one object, since texts have few and the same again and again.</summary>
    public FormatMark Format(string key, Any value)
    {
        foreach (var recent in _recentFormats)
        {
            if (recent is not null && recent.Key == key && recent.Value.Kind is not (AnyKind.Object or AnyKind.Array) && recent.Value == value)
                return recent;
        }
        _nextRecentFormat = (_nextRecentFormat + 1) % _recentFormats.Length;
        return _recentFormats[_nextRecentFormat] = new FormatMark(key, value);
    }

    /// <summary>Gives back what a deleted block holds and leaves a block of the same length that holds nothing.</summary>
    public void FreeContent(ref Block block)
    {
        switch (block.Kind)
        {
            case StructKind.String when block.IsWide:
                Wide.Free(block.Content, (int)block.Length);
                break;
            case StructKind.String:
                Narrow.Free(block.Content, (int)block.Length);
                break;
            case StructKind.Any or StructKind.Json:
                Values.Free(block.Content, (int)block.Length);
                break;
            case StructKind.Binary or StructKind.Embed or StructKind.Format or StructKind.Doc:
                Values.Free(block.Content, 1);
                break;
            case StructKind.Type:
                Branches[block.Content] = null;
                _freeBranches.Push(block.Content);
                break;
        }
        block.Content = 0;
        block.Flags &= ~BlockFlags.Wide;
    }

    /// <summary>Lets the heaps drop what is dead, when that has become the larger part.</summary>
    public void CompactHeaps()
    {
        if (Narrow.WantsCompaction)
        {
            var old = Narrow.Restart();
            ForEachBlock((ref block) =>
            {
                if (block.Kind == StructKind.String && !block.IsWide)
                    block.Content = Narrow.Append(old.AsSpan(block.Content, (int)block.Length));
            });
        }
        if (Wide.WantsCompaction)
        {
            var old = Wide.Restart();
            ForEachBlock((ref block) =>
            {
                if (block.Kind == StructKind.String && block.IsWide)
                    block.Content = Wide.Append(old.AsSpan(block.Content, (int)block.Length));
            });
        }
        if (Values.WantsCompaction)
        {
            var old = Values.Restart();
            ForEachBlock((ref block) =>
            {
                if (block.Kind is StructKind.Any or StructKind.Json)
                    block.Content = Values.Append(old.AsSpan(block.Content, (int)block.Length));
                else if (block.Kind is StructKind.Binary or StructKind.Embed or StructKind.Format or StructKind.Doc)
                    block.Content = Values.Append(old[block.Content]);
            });
        }
    }

    private void ForEachBlock(BlockAction action)
    {
        foreach (var client in Clients)
        {
            if (client.Count == 0)
                continue;
            var cursor = default(ClientBlocks.Cursor);
            do
                action(ref this[client[cursor]]);
            while (client.MoveNext(ref cursor));
        }
    }

    private delegate void BlockAction(ref Block block);
}
