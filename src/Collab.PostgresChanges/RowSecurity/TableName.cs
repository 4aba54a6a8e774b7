using System.Diagnostics.CodeAnalysis;
using Collab.PostgresChanges.Messages;

namespace Collab.PostgresChanges.RowSecurity;

/// <summary>A table by its name.</summary>
/// <param name="Schema">The schema that it is in.</param>
/// <param name="Table">Its name there.</param>
internal sealed record TableName(string Schema, string Table)
{
    /// <summary>Its name as SQL has it.</summary>
    public string Quoted => $"{Quote(Schema)}.{Quote(Table)}";

    /// <summary>The table whose changes a channel has.</summary>
    public static bool TryParse(string channel, [NotNullWhen(true)] out TableName? table)
    {
        table = channel.StartsWith(FollowedTable.Prefix, StringComparison.Ordinal) && channel[FollowedTable.Prefix.Length..].Split('.') is [{ Length: > 0 } schema, { Length: > 0 } name]
            ? new TableName(schema, name)
            : null;
        return table is not null;
    }

    public static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    public override string ToString() => $"{Schema}.{Table}";
}
