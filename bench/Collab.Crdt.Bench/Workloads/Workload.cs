using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Collab.Crdt.Bench;

/// <summary>The times of a workload's phases, the sizes in bytes, and a hash of the content, which must be the same in every engine.</summary>
internal sealed record Outcome(Dictionary<string, Times> Phases, Dictionary<string, long> Sizes, string Content);

/// <summary>
/// One workload in our engine, in a process of its own, as <c>node/workloads.mjs</c> has it for the others. Each operation is a
/// transaction of its own, and what the editing document tells of it is kept.
/// </summary>
internal sealed class Workload
{
    // Ids of 32 bits, as clients draw them.
    private const ulong FirstAuthor = 3141592653, SecondAuthor = 2718281828, ThirdAuthor = 1618033988, Reader = 1414213562;

    private readonly Dictionary<string, Times> _phases = [];
    private readonly Dictionary<string, long> _sizes = [];

    private Workload()
    {
    }

    /// <summary>Runs a workload and prints its outcome as one line of JSON.</summary>
    public static void Print(string id)
    {
        var workload = new Workload();
        var content = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(workload.Run(id))))[..16];
        Console.WriteLine(JsonSerializer.Serialize(new Outcome(workload._phases, workload._sizes, content), JsonSerializerOptions.Web));
    }

    private string Run(string id) => id switch
    {
        "B1.1" => Alone(TextRoot.Instance, Edits.AppendLetters(new(1))),
        "B1.2" => Alone(TextRoot.Instance, Edits.InsertString(new(1))),
        "B1.3" => Alone(TextRoot.Instance, Edits.PrependLetters(new(1))),
        "B1.4" => Alone(TextRoot.Instance, Edits.InsertLetters(new(1), 0)),
        "B1.5" => Alone(TextRoot.Instance, Edits.InsertWords(new(1), 0)),
        "B1.6" => Alone(TextRoot.Instance, Edits.InsertThenDelete(new(1))),
        "B1.7" => Alone(TextRoot.Instance, Edits.InsertAndDelete(new(1), 0)),
        "B1.8" => Alone(ArrayRoot.Instance, Edits.AppendNumbers(new(1))),
        "B1.9" => Alone(ArrayRoot.Instance, Edits.InsertNumberArray(new(1))),
        "B1.10" => Alone(ArrayRoot.Instance, Edits.PrependNumbers(new(1))),
        "B1.11" => Alone(ArrayRoot.Instance, Edits.InsertNumbers(new(1))),
        "B2.1" => Pair(Edits.InsertString),
        "B2.2" => Pair(random => Edits.InsertLetters(random, 100)),
        "B2.3" => Pair(random => Edits.InsertWords(random, 100)),
        "B2.4" => Pair(random => Edits.InsertAndDelete(random, 100)),
        "B3.1" => Many((doc, i) => doc.GetMap("map").Set("key", i), doc => Value(doc).ToString()),
        "B3.2" => Many(
            (doc, i) => doc.GetMap("map").Set("key", Any.FromObject(("name", $"{i}"), ("address", "here"))),
            doc => $"{Value(doc).AsObject()["name"]} {Value(doc).AsObject()["address"]}"),
        "B3.3" => Many(
            (doc, i) => doc.GetMap("map").Set("key", new StringBuilder().Insert(0, $"{i} ", 1000).ToString()),
            doc => Value(doc).AsString()),
        "B3.4" => Many((doc, i) => ArrayRoot.Of(doc).Insert(0, $"{i}"), ArrayRoot.Instance.Content),
        "B3.5" => Many((doc, i) => TextRoot.Of(doc).Insert(0, $"{i}"), TextRoot.Instance.Content),
        _ => id.Split(':') switch
        {
            ["full", var name] => Sequential(name, full: true),
            ["sequential", var name] => Sequential(name, full: false),
            ["concurrent", var name] => Concurrent(name),
            _ => throw new ArgumentException($"There is no workload {id}.", nameof(id)),
        },
    };

    // One user makes every edit; a second document takes each update.
    private string Alone<T>(Root<T> root, Edit<T>[] edits)
    {
        var (doc, updates) = Time("local", () => Recording(FirstAuthor), state => Replay(state, root, edits));
        _sizes["updates"] = updates.Sum(update => (long)update.Length);
        var remote = Time("remote", () => New(Reader), remote => ApplyAll(remote, updates));
        Check(root.Content(remote) == root.Content(doc), "The remote document differs.");
        return EncodeAndParse(doc, root.Content);
    }

    // Two users edit a text of 100 letters that both have, and then give each other what they did.
    private string Pair(Func<Mulberry, Edit<string>[]> make)
    {
        var start = Recording(ThirdAuthor);
        TextRoot.Of(start.Doc).Insert(0, Edits.Letters(new(0), 100));
        var edits = new[] { make(new(1)), make(new(2)) };
        Recorded[] Prepare() => [.. new[] { FirstAuthor, SecondAuthor }.Select(author =>
        {
            var user = Recording(author);
            ApplyAll(user.Doc, start.Updates);
            return user;
        })];
        var edited = Time("edit", Prepare, users =>
        {
            for (var i = 0; i < users.Length; i++)
                TextRoot.Instance.Replay(users[i].Doc, edits[i]);
            return users;
        });
        _sizes["updates"] = Difference(edited[0].Doc, edited[1].Doc).Length + Difference(edited[1].Doc, edited[0].Doc).Length;
        var states = edited.Select(user => user.Doc.StateDiffV1()).ToArray();
        var docs = Time("exchange", () => states.Select(state => Load(state, Recording(Reader).Doc)).ToArray(), docs =>
        {
            var (first, second) = (Difference(docs[0], docs[1]), Difference(docs[1], docs[0]));
            docs[0].ApplyV1(second);
            docs[1].ApplyV1(first);
            return docs;
        });
        Check(TextRoot.Instance.Content(docs[0]) == TextRoot.Instance.Content(docs[1]), "The users differ.");
        return EncodeAndParse(docs[0], TextRoot.Instance.Content);
    }

    // Many users change one thing at once, each knowing nothing of the others.
    private string Many(Action<Doc, int> change, Func<Doc, string> content)
    {
        var updates = Edits.Crowd().Select((author, i) =>
        {
            var user = Recording(author);
            change(user.Doc, i);
            return user.Updates[0];
        }).ToList();
        _sizes["updates"] = updates.Sum(update => (long)update.Length);
        var doc = Time("apply", () => Recording(Reader), state => ApplyAll(state.Doc, updates));
        return EncodeAndParse(doc, content);
    }

    // One user's recorded session, every patch in a transaction of its own.
    private string Sequential(string name, bool full)
    {
        var edits = SequentialTrace.Read(name);
        var counted = Time("apply", () => new Counted(New(FirstAuthor), v2: false), state => state.Replay(edits));
        var doc = counted.Doc;
        _sizes["updates"] = counted.Bytes;
        if (full)
        {
            _sizes["updatesV2"] = Time("apply, v2 events", () => new Counted(New(FirstAuthor), v2: true), state => state.Replay(edits)).Bytes;
            var stateV2 = Time("encode v2", () => doc.StateDiffV2());
            Time("parse v2", () =>
            {
                var loaded = New(Reader);
                loaded.ApplyV2(stateV2);
                return loaded;
            });
        }
        var state = doc.StateDiffV1();
        Time("parse, read the text", () => TextRoot.Of(Load(state, New(Reader))).ToString());
        return EncodeAndParse(doc, TextRoot.Instance.Content);
    }

    // Recorded updates of several users, one by one.
    private string Concurrent(string name)
    {
        var updates = ConcurrentTrace.Read(name).Updates.Select(update => update.ToArray()).ToList();
        var doc = Time("apply", () => New(Reader), doc => ApplyAll(doc, updates));
        return EncodeAndParse(doc, TextRoot.Instance.Content);
    }

    // What every workload ends with: the finished document is written and read.
    private string EncodeAndParse(Doc doc, Func<Doc, string> content)
    {
        var state = Time("encode", () => doc.StateDiffV1());
        var parsed = Time("parse", () => Load(state, New(Reader)));
        _sizes["v1"] = state.Length;
        _sizes["v2"] = doc.StateDiffV2().Length;
        var result = content(doc);
        Check(content(parsed) == result, "What was parsed differs.");
        return result;
    }

    private TResult Time<TResult>(string phase, Func<TResult> run)
    {
        _phases[phase] = Measure.Run(run, out var result);
        return result;
    }

    private TResult Time<TState, TResult>(string phase, Func<TState> prepare, Func<TState, TResult> run)
    {
        _phases[phase] = Measure.Run(prepare, run, out var result);
        return result;
    }

    private static Doc New(ulong client) => new(new DocOptions { ClientId = client });

    private static Recorded Recording(ulong client)
    {
        var recorded = new Recorded(New(client), []);
        recorded.Doc.ObserveUpdatesV1(update => recorded.Updates.Add(update.Update));
        return recorded;
    }

    private static Recorded Replay<T>(Recorded state, Root<T> root, Edit<T>[] edits)
    {
        root.Replay(state.Doc, edits);
        return state;
    }

    private static Doc ApplyAll(Doc doc, List<byte[]> updates)
    {
        foreach (var update in updates)
            doc.ApplyV1(update);
        return doc;
    }

    private static Doc Load(byte[] state, Doc doc)
    {
        doc.ApplyV1(state);
        return doc;
    }

    private static byte[] Difference(Doc doc, Doc other) => doc.StateDiffV1(other.StateVectorV1());

    private static Any Value(Doc doc) => doc.GetMap("map")["key"];

    private static void Check(bool holds, string otherwise)
    {
        if (!holds)
            throw new InvalidOperationException(otherwise);
    }

    // A document whose updates are kept.
    private sealed record Recorded(Doc Doc, List<byte[]> Updates);

    // A document whose updates are counted only: of a whole session they would be millions of small objects.
    private sealed class Counted
    {
        public Counted(Doc doc, bool v2)
        {
            Doc = doc;
            if (v2)
                doc.ObserveUpdatesV2(update => Bytes += update.Update.Length);
            else
                doc.ObserveUpdatesV1(update => Bytes += update.Update.Length);
        }

        public Doc Doc { get; }

        public long Bytes { get; private set; }

        public Counted Replay(Edit<string>[] edits)
        {
            TextRoot.Instance.Replay(Doc, edits);
            return this;
        }
    }
}
