using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Collab.PostgresChanges.Decoding;
using Collab.Server.Channels;
using Collab.Server.Rooms;

namespace Collab.PostgresChanges.Messages;

/// <summary>Makes messages of changes. Its form is in <c>docs/postgres-changes.md</c>.</summary>
internal sealed class ChangeMessages : IDisposable
{
    /// <summary>Of a row that is too large, longer values are left out, in bytes.</summary>
    private const int KeptOfLargeRow = 64;

    /// <summary>A message without any value is at most so long, whatever its channel allows, in bytes.</summary>
    private const int EmptyBytes = 1024;

    private static readonly JsonEncodedText SchemaName = JsonEncodedText.Encode("schema");
    private static readonly JsonEncodedText TableName = JsonEncodedText.Encode("table");
    private static readonly JsonEncodedText CommitTimeName = JsonEncodedText.Encode("commitTime");
    private static readonly JsonEncodedText RecordName = JsonEncodedText.Encode("record");
    private static readonly JsonEncodedText OldRecordName = JsonEncodedText.Encode("oldRecord");
    private static readonly JsonEncodedText UnchangedName = JsonEncodedText.Encode("unchanged");
    private static readonly JsonEncodedText TruncatedName = JsonEncodedText.Encode("truncated");

    private readonly ArrayBufferWriter<byte> _json = new(16 * 1024);
    private readonly Utf8JsonWriter _output;
    private readonly List<JsonEncodedText> _unchanged = [];
    private readonly List<JsonEncodedText> _truncated = [];
    private JsonEncodedText _commitTime;

    public ChangeMessages() => _output = new Utf8JsonWriter(
        _json, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });

    public void Dispose() => _output.Dispose();

    /// <summary>The changes that follow were committed at this time.</summary>
    public void Begin(DateTime committed) =>
        _commitTime = JsonEncodedText.Encode(committed.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture));

    /// <summary>The message of a changed row.</summary>
    /// <param name="eventName">What has happened to it.</param>
    /// <param name="relation">Its table, which is followed.</param>
    /// <param name="bytes">The bytes in which its values are.</param>
    /// <param name="record">The row; null when it is no more.</param>
    /// <param name="old">What it was, or only its key; null when that is not known.</param>
    /// <param name="oldIsKey">Whether <paramref name="old"/> is only its key.</param>
    public NewLogEntry Row(string eventName, Relation relation, ReadOnlySpan<byte> bytes, Row? record, Row? old, bool oldIsKey)
    {
        var table = relation.Table!;
        Write(relation, bytes, record, old, oldIsKey, int.MaxValue);
        if (_json.WrittenCount > table.MaxMessageBytes)
            Write(relation, bytes, record, old, oldIsKey, KeptOfLargeRow);
        if (_json.WrittenCount > Math.Max(table.MaxMessageBytes, EmptyBytes))
            Write(relation, bytes, record, old, oldIsKey, -1);
        return Take(eventName);
    }

    /// <summary>The message of a table that was emptied.</summary>
    public NewLogEntry Truncate(FollowedTable table)
    {
        Start(table);
        _output.WriteEndObject();
        _output.Flush();
        return Take("truncate");
    }

    private void Start(FollowedTable table)
    {
        _json.ResetWrittenCount();
        _output.Reset();
        _unchanged.Clear();
        _truncated.Clear();
        _output.WriteStartObject();
        _output.WriteString(SchemaName, table.Schema);
        _output.WriteString(TableName, table.Name);
        _output.WriteString(CommitTimeName, _commitTime);
    }

    /// <param name="relation">The table.</param>
    /// <param name="bytes">The bytes in which its values are.</param>
    /// <param name="record">The row.</param>
    /// <param name="old">What it was.</param>
    /// <param name="oldIsKey">Whether that is only its key.</param>
    /// <param name="longest">Longer values are left out; less than 0: all, and their names too.</param>
    private void Write(Relation relation, ReadOnlySpan<byte> bytes, Row? record, Row? old, bool oldIsKey, int longest)
    {
        Start(relation.Table!);
        if (record is not null)
            WriteRecord(RecordName, relation, bytes, record, oldIsKey ? null : old, isKey: false, longest);
        if (old is not null)
            WriteRecord(OldRecordName, relation, bytes, old, null, oldIsKey, longest);
        if (longest < 0)
            _output.WriteBoolean(TruncatedName, true);
        else
            WriteNames(TruncatedName, _truncated);
        WriteNames(UnchangedName, _unchanged);
        _output.WriteEndObject();
        _output.Flush();
    }

    private void WriteRecord(
        JsonEncodedText name, Relation relation, ReadOnlySpan<byte> bytes, Row row, Row? before, bool isKey, int longest)
    {
        _output.WriteStartObject(name);
        for (var i = 0; longest >= 0 && i < relation.Columns.Length; i++)
        {
            var column = relation.Columns[i];
            // A key has no values but those of its columns.
            if (!column.IsTold || (isKey && !column.IsOfKey))
                continue;
            var value = row[i].Kind is RowValueKind.Unchanged && before is not null ? before[i] : row[i];
            if (value.Kind is RowValueKind.Unchanged)
            {
                _unchanged.Add(column.Name);
            }
            else if (value.Length > longest)
            {
                if (!_truncated.Contains(column.Name))
                    _truncated.Add(column.Name);
            }
            else
            {
                _output.WritePropertyName(column.Name);
                if (value.Kind is RowValueKind.Null)
                    _output.WriteNullValue();
                else
                    ValueWriter.Write(_output, column.Type, bytes.Slice(value.Start, value.Length));
            }
        }

        _output.WriteEndObject();
    }

    private void WriteNames(JsonEncodedText name, List<JsonEncodedText> columns)
    {
        if (columns.Count == 0)
            return;
        _output.WriteStartArray(name);
        foreach (var column in columns)
            _output.WriteStringValue(column);
        _output.WriteEndArray();
    }

    private NewLogEntry Take(string eventName) => new(ChannelEntry.Encode(eventName, null, _json.WrittenSpan));
}
