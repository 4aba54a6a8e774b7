using Collab.Crdt;

namespace Collab.Client;

/// <summary>
/// Edits rich text as an editor would: within a line its text changes and keeps its formatting; a line feed begins a block of the same kind
/// (a paragraph after a heading, another item in a list); deleting one joins two blocks.
/// </summary>
/// <param name="fragment">The rich text.</param>
internal sealed class RichTextEdits(XmlFragment fragment)
{
    /// <summary>Deletes a range of the lines.</summary>
    public void Delete(int start, int length)
    {
        if (length == 0)
            return;
        var blocks = new RichTextBlocks(fragment);
        var (first, last) = (blocks.At(start), blocks.At(start + length));
        if (first == last)
        {
            DeleteIn(first, start - first.Start, length);
            return;
        }

        var between = blocks.Blocks.SkipWhile(block => block != first).Skip(1).TakeWhile(block => block != last).ToArray();
        var (head, tail) = (start - first.Start, start + length - last.Start);
        // Nothing can be joined to an object.
        var joins = !first.IsObject && !last.IsObject;
        var moved = joins ? Copy(last, tail) : [];
        if (joins)
            Remove(last);
        else
            DeleteIn(last, 0, tail);
        foreach (var block in between)
            Remove(block);
        DeleteIn(first, head, first.Text.Length - head);
        foreach (var node in moved)
            Append(first.Node, node);
    }

    /// <summary>Inserts text, whose line feeds begin new blocks.</summary>
    public void Insert(int place, string text)
    {
        if (text.Length == 0)
            return;
        var blocks = new RichTextBlocks(fragment);
        if (blocks.Blocks.Count == 0)
        {
            fragment.Push(new XmlElement("paragraph"));
            blocks = new RichTextBlocks(fragment);
        }

        var block = blocks.At(place);
        var offset = place - block.Start;
        if (block.IsCode || (!text.Contains('\n') && !block.IsObject))
        {
            InsertIn(block, offset, text);
            return;
        }
        if (block.IsObject)
        {
            // A line of its own before or behind the object.
            var lines = text.Trim('\n').Split('\n');
            foreach (var line in offset == 0 ? lines : lines.Reverse())
                Fill(AddBlock(block.Node, isAfter: offset > 0), line, []);
            return;
        }

        var pieces = text.Split('\n');
        var moved = Copy(block, offset);
        DeleteIn(block, offset, block.Text.Length - offset);
        InsertIn(new RichTextBlock(block.Node), offset, pieces[0]);
        for (var i = pieces.Length - 1; i > 0; i--)
            Fill(AddBlock(block.Node, isAfter: true), pieces[i], i == pieces.Length - 1 ? moved : []);
    }

    private static void InsertIn(RichTextBlock block, int offset, string text)
    {
        if (text.Length == 0)
            return;
        switch (block.PartAt(offset))
        {
            case { Node: XmlText run } part:
                run.Insert(offset - part.Start, text);
                break;
            case { } part:
                // Beside an object: a text of its own.
                var parent = (XmlFragment)block.Node;
                parent.Insert(IndexOf(parent, part.Node) + (offset > part.Start ? 1 : 0), new XmlText(text));
                break;
            default:
                ((XmlFragment)block.Node).Push(new XmlText(text));
                break;
        }
    }

    private static void DeleteIn(RichTextBlock block, int offset, int length)
    {
        if (length == 0)
            return;
        if (block.IsObject)
        {
            Remove(block);
            return;
        }
        foreach (var (node, start, end) in block.Parts.AsEnumerable().Reverse())
        {
            var (from, to) = (Math.Max(start, offset), Math.Min(end, offset + length));
            if (from >= to)
                continue;
            if (node is XmlText run)
                run.Delete(from - start, to - from);
            else
                DeleteNode(node);
        }
    }

    // What is behind a place of a block: shared types cannot be moved, only made anew.
    private static List<SharedNode> Copy(RichTextBlock block, int offset)
    {
        var copies = new List<SharedNode>();
        foreach (var (node, start, _) in block.Parts)
        {
            if (node is XmlText run)
            {
                var rest = Slice(run.ToDelta(), offset - start);
                if (rest.Count > 0)
                    copies.Add(new SharedNode(rest, null));
            }
            else if (start >= offset && node is XmlElement element)
            {
                copies.Add(new SharedNode([], element));
            }
        }
        return copies;
    }

    private static List<Delta> Slice(IReadOnlyList<Delta> delta, int from)
    {
        var rest = new List<Delta>();
        foreach (var part in delta)
        {
            if (from >= part.Length)
                from -= part.Length;
            else
            {
                rest.Add(from > 0 ? Delta.Insert(part.Value.AsString()[from..], part.Attributes) : part);
                from = 0;
            }
        }
        return rest;
    }

    private static void Fill(XmlFragment block, string text, List<SharedNode> moved)
    {
        if (text.Length > 0)
            block.Push(new XmlText(text));
        foreach (var node in moved)
            Append(block, node);
    }

    private static void Append(SharedType to, SharedNode node)
    {
        if (node.Element is { } element)
        {
            if (to is XmlFragment holder)
                holder.Push(CopyOf(element));
            return;
        }
        var text = to as XmlText ?? ((XmlFragment)to).Children.LastOrDefault() as XmlText;
        if (text is null)
            ((XmlFragment)to).Push(text = new XmlText());
        text.ApplyDelta(text.Length > 0 ? [Delta.Retain(text.Length), .. node.Text] : node.Text);
    }

    // A block like this one beside it. In a list that is an item of its own; behind a heading a paragraph.
    private static XmlElement AddBlock(SharedType beside, bool isAfter)
    {
        var isPlain = beside is not XmlElement { Name: not "heading" } || RichTextBlocks.IsObject((XmlElement)beside);
        var block = isPlain ? new XmlElement("paragraph") : CopyOf((XmlElement)beside);
        var parent = (XmlFragment)beside.Parent!;
        if (parent is XmlElement { Name: "listItem" or "list_item" or "taskItem" } item && item.Children.LastOrDefault() == beside)
        {
            var another = CopyOf(item);
            var list = (XmlFragment)item.Parent!;
            list.Insert(IndexOf(list, item) + (isAfter ? 1 : 0), another);
            another.Push(block);
        }
        else
        {
            parent.Insert(IndexOf(parent, beside) + (isAfter ? 1 : 0), block);
        }
        return block;
    }

    private static XmlElement CopyOf(XmlElement element)
    {
        var copy = new XmlElement(element.Name);
        foreach (var (name, value) in element.Attributes)
            copy.SetAttribute(name, value);
        return copy;
    }

    private static void Remove(RichTextBlock block) => DeleteNode(block.Node);

    // With the last thing in it a list, or a quotation, goes too.
    private static void DeleteNode(SharedType node)
    {
        var parent = (XmlFragment)node.Parent!;
        parent.Delete(IndexOf(parent, node));
        if (parent is XmlElement { Length: 0 } and not { Name: "paragraph" or "heading" or "codeBlock" or "code_block" })
            DeleteNode(parent);
    }

    private static int IndexOf(XmlFragment parent, SharedType child) => parent.Children.TakeWhile(node => node != child).Count();

    /// <summary>Something of a block that is made anew: text with its formatting, or an object.</summary>
    private sealed record SharedNode(List<Delta> Text, XmlElement? Element);
}
