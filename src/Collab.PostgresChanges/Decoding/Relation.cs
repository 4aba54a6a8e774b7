using System.Text.Json;
using Collab.PostgresChanges.Messages;

namespace Collab.PostgresChanges.Decoding;

/// <summary>A table as Postgres describes it before the first of its changes, and again after it was altered.</summary>
/// <param name="Table">The followed table; null when its changes are nobody's.</param>
/// <param name="Columns">Its columns, in the order of values.</param>
internal sealed record Relation(FollowedTable? Table, RelationColumn[] Columns);

/// <summary>A column of a table.</summary>
/// <param name="Name">Its name, as JSON has it.</param>
/// <param name="IsOfKey">Whether it is part of what identifies a row (<c>REPLICA IDENTITY</c>).</param>
/// <param name="Type">What its values become.</param>
internal sealed record RelationColumn(JsonEncodedText Name, bool IsOfKey, ColumnType Type)
{
    /// <summary>Whether it can be told. An object in JavaScript cannot have a property of its own that is named <c>__proto__</c>.</summary>
    public bool IsTold { get; } = Name.Value != "__proto__";
}
