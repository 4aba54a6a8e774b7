namespace Collab.Crdt.Tests;

/// <summary>A manager of a whole document takes all that is done here, and undoes or forgets any step of it.</summary>
public sealed class UndoStepTests
{
    private readonly Doc _doc = new();
    private readonly UndoManager _undo;

    public UndoStepTests() => _undo = UndoManager.OfAll(_doc, new UndoOptions { CaptureTimeout = TimeSpan.Zero });

    [Fact]
    public void Whatever_is_done_here_is_a_step_and_what_others_did_is_none()
    {
        _doc.GetText("text").Insert(0, "a");
        _doc.Transact(_ => _doc.GetMap("made later").Set("key", 1), "some origin");
        var others = new Doc();
        others.GetArray("list").Push(1);
        _doc.ApplyV1(others.StateDiffV1());

        Assert.Equal(2, _undo.UndoStack.Count);
        _undo.Undo();
        _undo.Undo();
        Assert.Equal("", _doc.GetText("text").ToString());
        Assert.False(_doc.GetMap("made later").ContainsKey("key"));
        Assert.Equal(1, _doc.GetArray("list").Length);
    }

    [Fact]
    public void One_step_is_undone_wherever_it_stands_and_those_after_it_stay()
    {
        var text = _doc.GetText("text");
        text.Insert(0, "one ");
        text.Insert(4, "two ");
        text.Insert(8, "three");
        text.Delete(0, 2);
        var steps = _undo.UndoStack.ToArray();

        Assert.True(_undo.Undo(steps[1]));
        Assert.Equal("e three", text.ToString());
        Assert.True(_undo.Undo(steps[3]));
        Assert.Equal("one three", text.ToString());

        Assert.False(_undo.Undo(steps[1]));
        Assert.Equal([steps[0], steps[2]], _undo.UndoStack);
        Assert.False(_undo.CanRedo);
        _undo.Undo();
        Assert.Equal("one ", text.ToString());
    }

    [Fact]
    public void A_forgotten_step_is_not_undone_and_what_it_deleted_can_be_collected()
    {
        var text = _doc.GetText("text");
        text.Insert(0, "a long text that is deleted");
        text.Delete(0, text.Length);
        text.Insert(0, "b");
        var deletion = _undo.UndoStack[1];

        _undo.Forget(deletion);

        Assert.Equal(2, _undo.UndoStack.Count);
        Assert.False(_undo.Undo(deletion));
        Assert.Equal("b", text.ToString());
        // A document that is loaded from here has the rest collected.
        var loaded = new Doc();
        loaded.ApplyV1(_doc.StateDiffV1());
        Assert.True(loaded.StateDiffV1().Length < 60);
    }
}
