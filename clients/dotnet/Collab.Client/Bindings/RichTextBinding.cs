using System.Text;
using Collab.Crdt;

namespace Collab.Client;

/// <summary>
/// Binds rich text, as Tiptap and other ProseMirror editors keep it, to a plain text box: each paragraph, heading or item is a line. Formatting
/// is kept and not shown; objects show as U+FFFC.
/// </summary>
/// <inheritdoc/>
public sealed class RichTextBinding : TextBoxBinding
{
    private readonly XmlFragment _fragment;
    private readonly RichTextEdits _edits;
    private readonly IDisposable _observation;
    private RichTextBlocks _blocks;

    /// <summary>Shows the text in the box; what was in there before is gone.</summary>
    /// <param name="fragment">The rich text; it must be in a document. Tiptap's is the root <c>default</c>.</param>
    /// <param name="box">The box.</param>
    public RichTextBinding(XmlFragment fragment, ITextBox box)
        : base(box)
    {
        ArgumentNullException.ThrowIfNull(fragment);
        ArgumentNullException.ThrowIfNull(box);
        _fragment = fragment;
        _edits = new RichTextEdits(fragment);
        _blocks = new RichTextBlocks(fragment);
        _observation = fragment.ObserveDeep(OnFragmentChanged);
        Begin();
    }

    private protected override string Read() => (_blocks = new RichTextBlocks(_fragment)).Text;

    private protected override void Apply(TextEdit edit) => _fragment.Doc!.Transact(
        _ =>
        {
            _edits.Delete(edit.Start, edit.Deleted);
            _edits.Insert(edit.Start, edit.Inserted);
        },
        this);

    private protected override int? Find(StickyIndex index)
    {
        if (index.Resolve(_fragment.Doc!) is not { } place)
            return null;
        foreach (var block in _blocks.Blocks)
        {
            if (block.Node == place.Type)
                return block.Start + (place.Type is XmlText || place.Index >= block.Parts.Count ? Math.Min(place.Index, block.Text.Length) : block.Parts[place.Index].Start);
            foreach (var (node, start, _) in block.Parts)
            {
                if (node == place.Type)
                    return block.Start + Math.Min(start + place.Index, block.Text.Length);
            }
        }
        return null;
    }

    private protected override StickyIndex Stick(int place)
    {
        if (_blocks.Blocks.Count == 0)
            return StickyIndex.Create(_fragment, 0);
        var block = _blocks.At(place);
        var offset = Math.Min(place - block.Start, block.Text.Length);
        return block.PartAt(offset) is { Node: XmlText text } part
            ? StickyIndex.Create(text, Math.Min(offset - part.Start, text.Length))
            : StickyIndex.Create(block.Node, 0);
    }

    private protected override void StopObserving() => _observation.Dispose();

    private void OnFragmentChanged(IReadOnlyList<TypeEvent> changes)
    {
        if (changes.Count == 0 || ReferenceEquals(changes[0].Transaction.Origin, this))
            return;

        var before = _blocks;
        var typed = PickUp();
        var (start, end) = Selection();
        var isSelection = end > start;
        var now = new RichTextBlocks(_fragment);
        var shifts = changes.Where(change => change.Target is XmlText).ToDictionary(change => change.Target, change => new TextShift(change.Delta));
        if (typed is { } edit)
        {
            // The box holds what its event has not told yet. It is told of the text as it is now.
            var place = Move(edit.Start, isAfterInserted: false);
            var behind = (start - edit.Start, end - edit.Start);
            var ranges = Left(edit);
            var inserted = edit.Inserted;
            if (before.Text.AsSpan(edit.Start, edit.Deleted).Contains('\n'))
            {
                // Lines are joined: what others wrote amidst is written once more behind.
                var to = Math.Max(place, Move(edit.Start + edit.Deleted, isAfterInserted: false));
                inserted += Others(place, to, ranges);
                ranges = [new TextRange(place, to - place)];
            }
            _fragment.Doc!.Transact(
                _ =>
                {
                    foreach (var range in ranges.Reverse())
                        _edits.Delete(range.Start, range.Length);
                    _edits.Insert(place, inserted);
                },
                this);
            (start, end) = (place + Math.Max(0, behind.Item1), place + Math.Max(0, behind.Item2));
        }
        else
        {
            (start, end) = (Move(start, isSelection), Move(end, isAfterInserted: false));
        }
        Write(Read(), start, end);

        // Where a place of the text before is now.
        int Move(int place, bool isAfterInserted)
        {
            if (before.Blocks.Count == 0)
                return 0;
            var block = before.At(place);
            var offset = Math.Min(place - block.Start, block.Text.Length);
            if (block.PartAt(offset) is { } part && PlaceOf(part.Node) is { } found)
                return found + (shifts.TryGetValue(part.Node, out var shift) ? shift.Place(offset - part.Start, isAfterInserted) : offset - part.Start);
            if (now.Blocks.FirstOrDefault(other => other.Node == block.Node) is { } same)
                return same.Start + Math.Min(offset, same.Text.Length);
            // Its line is gone: to the end of the one before it.
            return before.Blocks.TakeWhile(other => other != block).Reverse()
                .Select(other => now.Blocks.FirstOrDefault(left => left.Node == other.Node)?.End)
                .FirstOrDefault(end => end is not null) ?? 0;
        }

        int? PlaceOf(SharedType node)
        {
            foreach (var block in now.Blocks)
            {
                if (block.Parts.Find(part => part.Node == node) is { } found)
                    return block.Start + found.Start;
            }
            return null;
        }

        // What is in a range and is not left of what was there before.
        string Others(int from, int to, IReadOnlyList<TextRange> left)
        {
            var text = new StringBuilder();
            foreach (var block in now.Blocks.Where(block => block.End > from && block.Start < to))
            {
                var isNew = !before.Blocks.Any(other => other.Node == block.Node);
                if (isNew)
                    text.Append('\n');
                for (var at = Math.Max(from, block.Start); at < Math.Min(to, block.End); at++)
                {
                    if (isNew || !left.Any(range => range.Start <= at && at < range.Start + range.Length))
                        text.Append(now.Text[at]);
                }
            }
            return text.ToString();
        }

        // What others have left of what the user deleted, save for ends of lines.
        IReadOnlyList<TextRange> Left(TextEdit edit)
        {
            var left = new List<TextRange>();
            foreach (var block in before.Blocks)
            {
                foreach (var (node, from, to) in block.Parts)
                {
                    var (first, last) = (Math.Max(edit.Start - block.Start, from), Math.Min(edit.Start + edit.Deleted - block.Start, to));
                    if (first >= last || PlaceOf(node) is not { } place)
                        continue;
                    left.AddRange(shifts.TryGetValue(node, out var shift)
                        ? shift.Parts(first - from, last - first).Select(range => range with { Start = range.Start + place })
                        : [new TextRange(place + first - from, last - first)]);
                }
            }
            return left;
        }
    }
}
