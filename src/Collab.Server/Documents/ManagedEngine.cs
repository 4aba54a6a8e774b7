using Collab.Crdt;

namespace Collab.Server.Documents;

/// <summary>The engine of <c>Collab.Crdt</c>.</summary>
internal sealed class ManagedEngine : IDocumentEngine
{
    /// <summary>
    /// How the server builds documents. Formats stay as they are: what this server holds needless, somebody who edits meanwhile may need,
    /// and nobody is told of it. The steps are seconds of work at most, however the insertions of malicious writers lie.
    /// </summary>
    public static DocOptions Options { get; } = new() { Gc = true, CleanFormats = false, MaxSteps = 10_000_000 };

    public byte[] Compact(byte[] update)
    {
        using var doc = Load(update);
        return doc.StateDiffV1();
    }

    public IDocumentContent Open(byte[] update) => new Content(Load(update));

    /// <summary>All roots as one JSON object.</summary>
    public static string ToJson(Doc doc) =>
        Any.FromObject(new OrderedDictionary<string, Any>(doc.RootNames.Select(name => KeyValuePair.Create(name, doc.RootToJson(name))))).ToString();

    private static Doc Load(byte[] update)
    {
        var doc = new Doc(Options);
        doc.ApplyV1(update);
        return doc;
    }

    private sealed class Content(Doc doc) : IDocumentContent
    {
        private Doc _doc = doc;

        public IReadOnlyDictionary<string, RootKind> Roots => _doc.RootNames.ToDictionary(name => name, _doc.LooksLike);

        public void Advance(byte[] update)
        {
            // What waits would wait twice: the difference to a state vector has it again.
            if (_doc.HasPending)
                _doc = Load(update);
            else
                _doc.ApplyV1(Updates.DiffV1(update, _doc.StateVectorV1()));
        }

        public byte[] Edit(ulong clientId, Action<Doc> edit)
        {
            var updates = new List<ReadOnlyMemory<byte>>();
            _doc.ClientId = clientId;
            using (_doc.ObserveUpdatesV1(change => updates.Add(change.Update)))
                _doc.Transact(_ => edit(_doc));
            return updates.Count == 0 ? Updates.EmptyV1.ToArray() : Updates.MergeV1(updates);
        }

        public T Read<T>(Func<Doc, T> read)
        {
            using (_doc.ReadTransaction())
                return read(_doc);
        }

        public string TextOf(string root) => _doc.RootToJson(root) is { Kind: AnyKind.String } text ? text.AsString() : "";

        public string ToJson() => ManagedEngine.ToJson(_doc);

        public void Dispose() => _doc.Dispose();
    }
}
