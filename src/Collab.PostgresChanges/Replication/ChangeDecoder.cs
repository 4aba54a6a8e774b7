using System.Text.Encodings.Web;
using System.Text.Json;
using Collab.PostgresChanges.Decoding;
using Collab.PostgresChanges.Messages;

namespace Collab.PostgresChanges.Replication;

/// <summary>Turns what the slot delivers into messages in batches, and knows how far it has come.</summary>
internal sealed class ChangeDecoder(IReadOnlyList<FollowedTable> tables, int count, TypeCatalog types, ChangeProgress start) : IDisposable
{
    private static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    private readonly Dictionary<(string, string), FollowedTable> _tables = tables.ToDictionary(table => (table.Schema, table.Name));
    private readonly Dictionary<uint, Relation> _relations = [];
    private readonly ChangeMessages _messages = new();
    private readonly Row _row = new();
    private readonly Row _old = new();
    private ulong _done = start.Lsn;
    private ulong _commit;
    private long _changes;
    // Of the transaction that is being read so many changes are stored already.
    private long _stored;

    /// <summary>What has gathered since it was taken last.</summary>
    public ChangeBatch Batch { get; private set; } = new(count);

    /// <summary>Whether a transaction is being read.</summary>
    public bool IsInTransaction => _commit != 0;

    /// <summary>Whether a transaction has ended since the batch was taken last, be it one without changes that count.</summary>
    public bool HasEnded { get; private set; }

    public void Dispose() => _messages.Dispose();

    /// <summary>Takes what has gathered, and the progress that covers it.</summary>
    public (ChangeBatch Batch, ChangeProgress Progress) Take()
    {
        // One that was committed before what is done is passed over as a whole.
        var isInPart = _commit >= _done && IsInTransaction;
        var taken = (Batch, start with { Lsn = _done, Commit = isInPart ? _commit : 0, Changes = isInPart ? Math.Max(_changes, _stored) : 0 });
        Batch = new ChangeBatch(count);
        HasEnded = false;
        return taken;
    }

    /// <summary>Everything up to this place was read, and there was nothing in it.</summary>
    public void SkipTo(ulong lsn)
    {
        if (IsInTransaction || lsn <= _done)
            return;
        _done = lsn;
        HasEnded = true;
    }

    /// <summary>Takes one message of the slot.</summary>
    public ValueTask TakeAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var message = new PgOutputMessage(bytes.Span);
        switch (message.ReadByte())
        {
            case (byte)'B':
                Begin(ref message);
                break;
            case (byte)'C':
                Commit(ref message);
                break;
            case (byte)'R':
                return DescribeAsync(bytes, cancellationToken);
            case (byte)'I':
                Insert(bytes.Span, ref message);
                break;
            case (byte)'U':
                Update(bytes.Span, ref message);
                break;
            case (byte)'D':
                Delete(bytes.Span, ref message);
                break;
            case (byte)'T':
                Truncate(ref message);
                break;
        }

        return default;
    }

    private void Begin(ref PgOutputMessage message)
    {
        _commit = message.ReadLsn();
        _messages.Begin(message.ReadTime());
        (_changes, _stored) = (0, _commit < _done ? long.MaxValue : _commit == start.Commit ? start.Changes : 0);
    }

    private void Commit(ref PgOutputMessage message)
    {
        message.ReadByte();
        message.ReadLsn();
        _done = Math.Max(_done, message.ReadLsn());
        _commit = 0;
        HasEnded = true;
    }

    private async ValueTask DescribeAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var (id, table, names, keys, typeIds) = Read(bytes.Span);
        var columnTypes = table is null ? [] : await types.FindAsync(typeIds, cancellationToken);
        _relations[id] = new Relation(
            table, [.. columnTypes.Select((type, i) => new RelationColumn(JsonEncodedText.Encode(names[i], Encoder), keys[i], type))]);
    }

    private (uint Id, FollowedTable? Table, string[] Names, bool[] Keys, uint[] Types) Read(ReadOnlySpan<byte> bytes)
    {
        var message = new PgOutputMessage(bytes);
        message.ReadByte();
        var id = message.ReadId();
        var table = _tables.GetValueOrDefault((message.ReadString(), message.ReadString()));
        message.ReadByte();
        var count = message.ReadInt16();
        var (names, keys, typeIds) = (new string[count], new bool[count], new uint[count]);
        for (var i = 0; i < count; i++)
        {
            keys[i] = (message.ReadByte() & 1) != 0;
            names[i] = message.ReadString();
            typeIds[i] = message.ReadId();
            message.ReadInt32();
        }

        return (id, table, names, keys, typeIds);
    }

    private void Insert(ReadOnlySpan<byte> bytes, ref PgOutputMessage message)
    {
        if (RelationOf(message.ReadId()) is not { } relation)
            return;
        message.ReadByte();
        message.ReadRow(_row);
        Batch.Add(relation.Table!, _messages.Row("insert", relation, bytes, _row, old: null, oldIsKey: false));
    }

    private void Update(ReadOnlySpan<byte> bytes, ref PgOutputMessage message)
    {
        if (RelationOf(message.ReadId()) is not { } relation)
            return;
        var kind = message.ReadByte();
        var hasOld = kind != 'N';
        if (hasOld)
        {
            message.ReadRow(_old);
            message.ReadByte();
        }

        message.ReadRow(_row);
        Batch.Add(relation.Table!, _messages.Row("update", relation, bytes, _row, hasOld ? _old : null, oldIsKey: kind == 'K'));
    }

    private void Delete(ReadOnlySpan<byte> bytes, ref PgOutputMessage message)
    {
        if (RelationOf(message.ReadId()) is not { } relation)
            return;
        var kind = message.ReadByte();
        message.ReadRow(_old);
        Batch.Add(relation.Table!, _messages.Row("delete", relation, bytes, record: null, _old, oldIsKey: kind == 'K'));
    }

    private void Truncate(ref PgOutputMessage message)
    {
        var isStored = ++_changes <= _stored;
        var count = message.ReadInt32();
        message.ReadByte();
        for (; count > 0; count--)
        {
            if (_relations.GetValueOrDefault(message.ReadId()) is { Table: { } table } && !isStored)
                Batch.Add(table, _messages.Truncate(table));
        }
    }

    /// <summary>Counts a change.</summary>
    /// <returns>Its table; null when it is nobody's, or stored already.</returns>
    private Relation? RelationOf(uint id) =>
        ++_changes > _stored && _relations.GetValueOrDefault(id) is { Table: not null } relation ? relation : null;
}
