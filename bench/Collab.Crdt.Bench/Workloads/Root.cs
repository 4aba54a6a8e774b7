namespace Collab.Crdt.Bench;

/// <summary>The root of a document that a workload edits, and its content as a string that every engine spells alike.</summary>
internal abstract class Root<T>
{
    public abstract void Replay(Doc doc, Edit<T>[] edits);

    public abstract string Content(Doc doc);
}

internal sealed class TextRoot : Root<string>
{
    public static TextRoot Instance { get; } = new();

    public static Text Of(Doc doc) => doc.GetText("text");

    public override void Replay(Doc doc, Edit<string>[] edits)
    {
        var text = Of(doc);
        foreach (var (position, removed, inserted) in edits)
        {
            if (removed == 0)
            {
                text.Insert(position, inserted);
            }
            else if (inserted.Length == 0)
            {
                text.Delete(position, removed);
            }
            else
            {
                using var transaction = doc.WriteTransaction();
                text.Delete(position, removed);
                text.Insert(position, inserted);
            }
        }
    }

    public override string Content(Doc doc) => Of(doc).ToString();
}

internal sealed class ArrayRoot : Root<Any[]>
{
    public static ArrayRoot Instance { get; } = new();

    public static YArray Of(Doc doc) => doc.GetArray("array");

    public override void Replay(Doc doc, Edit<Any[]>[] edits)
    {
        var array = Of(doc);
        foreach (var edit in edits)
            array.Insert(edit.Position, edit.Inserted);
    }

    public override string Content(Doc doc) => string.Join(',', Of(doc).ToArray());
}
