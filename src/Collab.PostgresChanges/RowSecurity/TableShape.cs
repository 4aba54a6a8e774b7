namespace Collab.PostgresChanges.RowSecurity;

/// <summary>A table as one role has it at one moment.</summary>
/// <param name="IsChecked">Whether policies say which of its rows the role sees.</param>
/// <param name="Columns">Its columns.</param>
internal sealed record TableShape(bool IsChecked, IReadOnlyList<TableColumn> Columns)
{
    public IReadOnlyList<TableColumn> Key { get; } = [.. Columns.Where(column => column.IsOfKey)];

    public IReadOnlySet<string> KeyNames { get; } = Columns.Where(column => column.IsOfKey).Select(column => column.Name).ToHashSet(StringComparer.Ordinal);

    /// <summary>The columns that the role may read.</summary>
    public IReadOnlySet<string> Visible { get; } = Columns.Where(column => column.IsVisible).Select(column => column.Name).ToHashSet(StringComparer.Ordinal);

    /// <summary>Why its rows cannot be told apart for the role, as a sentence that says what to do; null when they can.</summary>
    public string? FaultFor(TableName table, string role) =>
        Columns.Count == 0 ? $"the table {table} is not there"
        : Key.Count == 0 ? $"the table {table} has no primary key, by which its rows could be found; add one"
        : Key.Any(column => !column.IsVisible) ? $"the role {role} may not read the key of {table}; run GRANT SELECT ON {table.Quoted} TO {TableName.Quote(role)}"
        : !IsChecked ? $"no row-level security is in force for the role {role} on {table}; run ALTER TABLE {table.Quoted} ENABLE ROW LEVEL SECURITY, and let the role neither own it nor have BYPASSRLS"
        : null;
}

/// <summary>A column.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type as SQL has it.</param>
/// <param name="IsOfKey">Whether it is one of the primary key.</param>
/// <param name="IsVisible">Whether the role may read it.</param>
internal sealed record TableColumn(string Name, string Type, bool IsOfKey, bool IsVisible)
{
    /// <summary>The SQL that makes a value of its type of the text in a message.</summary>
    public string FromText(string text) => Type == "bytea" ? $"decode({text}, 'base64')" : $"{text}::{Type}";
}
