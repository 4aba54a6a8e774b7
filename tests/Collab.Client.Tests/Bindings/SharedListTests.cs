using System.Collections.Specialized;
using Collab.Crdt;

namespace Collab.Client.Tests.Bindings;

/// <summary>List and shared array hold the same, whoever changes them, and changes are told one by one.</summary>
public sealed class SharedListTests
{
    private readonly Doc _doc = new();

    [Fact]
    public void What_is_changed_in_the_list_is_changed_in_the_array()
    {
        var (array, list) = Bound("a", "b", "c");
        var transactions = 0;
        _doc.ObserveAfterTransaction(_ => transactions++);

        list.Add("d");
        list[0] = "A";
        list.Move(1, 3);
        list.RemoveAt(1);

        Assert.Equal(["A", "d", "b"], array.Select(value => value.AsString()));
        Assert.Equal(["A", "d", "b"], list);
        Assert.Equal(4, transactions);
        list.Clear();
        Assert.Empty(array);
    }

    [Fact]
    public void What_others_change_comes_as_single_changes_at_its_place()
    {
        var (array, list) = Bound("a", "b", "c");
        var told = new List<string>();
        list.CollectionChanged += (_, change) => told.Add(change.Action == NotifyCollectionChangedAction.Add
            ? $"+{change.NewItems![0]}@{change.NewStartingIndex}"
            : $"-{change.OldItems![0]}@{change.OldStartingIndex}");

        _doc.Transact(_ =>
        {
            array.Delete(0);
            array.Insert(1, "x", "y");
        });

        Assert.Equal(["-a@0", "+x@1", "+y@2"], told);
        Assert.Equal(["b", "x", "y", "c"], list);
    }

    [Fact]
    public void Random_changes_of_both_sides_leave_both_the_same()
    {
        var (array, list) = Bound();
        var random = new Random(5);
        for (var i = 0; i < 2_000; i++)
        {
            var item = i.ToString(System.Globalization.CultureInfo.InvariantCulture);
            switch (random.Next(6))
            {
                case 0 or 1:
                    list.Insert(random.Next(list.Count + 1), item);
                    break;
                case 2 or 3:
                    array.Insert(random.Next(array.Length + 1), item, item + "'");
                    break;
                case 4 when list.Count > 0:
                    list.Move(random.Next(list.Count), random.Next(list.Count));
                    break;
                case 5 when list.Count > 2:
                    array.Delete(random.Next(list.Count - 2), 2);
                    break;
            }
            Assert.Equal(array.Select(value => value.AsString()), list);
        }
    }

    private (YArray Array, SharedList<string> List) Bound(params string[] items)
    {
        var array = _doc.GetArray("list");
        array.Push([.. items.Select(item => (Any)item)]);
        return (array, new SharedList<string>(array, value => value.AsString(), item => item));
    }
}
