namespace Collab.Crdt.Tests.Documents;

/// <summary>Edits documents at random through the public operations, and gathers the updates; needs no oracle.</summary>
internal sealed class RandomEditor : IDisposable
{
    private static readonly string[] Words = ["a", "bc", "the ", "quick", "\n", "é", "漢字"];

    // As in yjs, a format that turns out to change nothing splits a pair of surrogates on one replica alone, so these are for
    // sessions without formats.
    private static readonly string[] AstralWords = [.. Words, "😀", "👩‍👩‍👧"];

    private readonly Random _random;
    private readonly bool _formats;
    private readonly List<byte[]> _updates = [];

    /// <summary>Plays a session of some replicas, which sync now and then.</summary>
    /// <param name="seed">What makes the session.</param>
    /// <param name="formats">Whether texts get formats.</param>
    /// <param name="gc">Whether what is deleted is dropped.</param>
    public RandomEditor(int seed, bool formats, bool gc = true)
    {
        _random = new Random(seed);
        _formats = formats;
        Docs = [.. Enumerable.Range(0, _random.Next(2, 5)).Select(index => Dump.NewDoc((ulong)(index + (10 * _random.NextInt64(1L << (index % 2 == 0 ? 4 : 49)))), gc))];
        foreach (var doc in Docs)
        {
            doc.ObserveUpdatesV1(update =>
            {
                if (update.Origin is null)
                    _updates.Add(update.Update);
            });
        }
        for (var steps = _random.Next(10, 60); steps > 0; steps--)
        {
            var doc = Docs[_random.Next(Docs.Count)];
            if (_random.Next(4) == 0)
                Sync(Docs[_random.Next(Docs.Count)], doc);
            else
                doc.Transact(_ => Array.ForEach(new bool[_random.Next(1, 4)], _ => Edit(doc)));
        }
    }

    public IReadOnlyList<Doc> Docs { get; }

    /// <summary>What the replicas have emitted, in order.</summary>
    public IReadOnlyList<byte[]> Updates => _updates;

    /// <summary>The updates in another order, some of them twice.</summary>
    public IReadOnlyList<byte[]> Shuffled()
    {
        byte[][] shuffled = [.. _updates, .. _updates.Where(_ => _random.Next(5) == 0)];
        _random.Shuffle(shuffled);
        return shuffled;
    }

    /// <summary>Brings all that one document knows to another.</summary>
    public static void Sync(Doc from, Doc to) => to.ApplyV1(from.StateDiffV1(to.StateVectorV1()), "sync");

    /// <summary>Syncs all with all until nobody knows more than others.</summary>
    public static void Exchange(IReadOnlyList<Doc> docs)
    {
        // What is cleaned up in one round is told in the next.
        for (var round = 0; round < 3; round++)
        {
            foreach (var from in docs)
            {
                foreach (var to in docs.Where(to => to != from))
                    Sync(from, to);
            }
        }
    }

    public void Dispose()
    {
        foreach (var doc in Docs)
            doc.Dispose();
    }

    private void Edit(Doc doc)
    {
        switch (_random.Next(6))
        {
            case 0 or 1:
                EditText(doc.GetText("text"));
                break;
            case 2:
                EditText(doc.GetText("rich"));
                break;
            case 3:
                EditArray(doc.GetArray("arr"));
                break;
            case 4:
                EditMap(doc.GetMap("map"));
                break;
            default:
                EditXml(doc.GetXmlFragment("xml"));
                break;
        }
    }

    private void EditText(Text text)
    {
        var index = _random.Next(text.Length + 1);
        if (_random.Next(3) == 0)
            text.Delete(index, _random.Next(5));
        else if (_formats && _random.Next(2) == 0)
            text.Format(index, _random.Next(6), Attributes());
        else
            text.Insert(index, Word(), _formats && _random.Next(3) == 0 ? Attributes() : null);
    }

    private void EditArray(YArray array)
    {
        var nested = array.Where(item => item.Kind == AnyKind.Type).Select(item => item.AsType<SharedType>()).ToArray();
        if (nested.Length > 0 && _random.Next(2) == 0)
            EditNested(nested[_random.Next(nested.Length)]);
        else if (array.Length > 0 && _random.Next(3) == 0)
            array.Delete(_random.Next(array.Length));
        else
            array.Insert(_random.Next(array.Length + 1), Value(), Value());
    }

    private void EditMap(Map map)
    {
        var key = "abc"[_random.Next(3)..][..1];
        if (map[key] is { Kind: AnyKind.Type } nested && _random.Next(2) == 0)
            EditNested(nested.AsType<SharedType>());
        else if (_random.Next(4) == 0)
            map.Remove(key);
        else
            map.Set(key, Value());
    }

    private void EditNested(SharedType type)
    {
        switch (type)
        {
            case Text text:
                EditText(text);
                break;
            case YArray array:
                EditArray(array);
                break;
            case Map map:
                EditMap(map);
                break;
        }
    }

    private void EditXml(XmlFragment parent)
    {
        var child = parent.Length > 0 ? parent[_random.Next(parent.Length)] : null;
        if (child is XmlElement element && _random.Next(2) == 0)
            EditXml(element);
        else if (child is XmlText text && _random.Next(2) == 0)
            EditText(text);
        else if (parent is XmlElement self && _random.Next(4) == 0)
            self.SetAttribute("id", Word());
        else if (child is not null && _random.Next(3) == 0)
            parent.Delete(_random.Next(parent.Length));
        else
            parent.Insert(_random.Next(parent.Length + 1), _random.Next(2) == 0 ? new XmlElement("p") : new XmlText(Word()));
    }

    private Any Value() => _random.Next(7) switch
    {
        0 => Word(),
        1 => _random.Next(1000),
        2 => Any.FromObject(("k", Word())),
        3 => new Text(Word()),
        4 => new YArray(1, Word()),
        5 => new Map([KeyValuePair.Create("a", (Any)Word())]),
        _ => new byte[] { 1, 2 },
    };

    private Dictionary<string, Any> Attributes() => new() { [_random.Next(2) == 0 ? "bold" : "em"] = _random.Next(3) == 0 ? Any.Null : true };

    private string Word() => _formats ? Words[_random.Next(Words.Length)] : AstralWords[_random.Next(AstralWords.Length)];
}
