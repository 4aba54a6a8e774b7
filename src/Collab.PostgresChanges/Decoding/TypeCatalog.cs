using Npgsql;

namespace Collab.PostgresChanges.Decoding;

/// <summary>What types are, by their ids: those that are not built in, and arrays, are looked up in the database once.</summary>
internal sealed class TypeCatalog(NpgsqlDataSource source)
{
    // int2vector and oidvector look like arrays in the catalog, but their text does not.
    private const string Lookup = """
        SELECT type.oid, CASE type.typtype WHEN 'd' THEN type.typbasetype ELSE 0 END,
            CASE WHEN type.typcategory = 'A' AND type.typlen = -1 AND type.oid NOT IN (22, 30) THEN type.typelem ELSE 0 END,
            element.typdelim::text
        FROM pg_catalog.pg_type type LEFT JOIN pg_catalog.pg_type element ON element.oid = type.typelem
        WHERE type.oid = ANY($1)
        """;

    private readonly Dictionary<uint, ColumnType> _known = new(ColumnType.BuiltIn);

    /// <summary>The types of these ids. One that is no more is <see cref="ColumnType.Text"/>.</summary>
    public async ValueTask<ColumnType[]> FindAsync(uint[] ids, CancellationToken cancellationToken)
    {
        await LearnAsync(ids, cancellationToken);
        return [.. ids.Select(id => _known[id])];
    }

    private async ValueTask LearnAsync(IEnumerable<uint> ids, CancellationToken cancellationToken)
    {
        uint[] unknown = [.. ids.Where(id => !_known.ContainsKey(id)).Distinct()];
        if (unknown.Length == 0)
            return;
        var found = new List<(uint Id, uint Base, uint Element, string? Delimiter)>();
        await using (var command = source.CreateCommand(Lookup))
        {
            command.Parameters.Add(new NpgsqlParameter { Value = unknown, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Oid });
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                found.Add((
                    rows.GetFieldValue<uint>(0), rows.GetFieldValue<uint>(1), rows.GetFieldValue<uint>(2),
                    await rows.IsDBNullAsync(3, cancellationToken) ? null : rows.GetString(3)));
            }
        }

        // A type is made of others that were there before it: this ends.
        await LearnAsync(found.Select(type => type.Base | type.Element).Where(id => id != 0), cancellationToken);
        foreach (var (id, baseId, element, delimiter) in found)
        {
            _known[id] = baseId != 0 ? _known[baseId]
                : element != 0 ? new ColumnType(ValueForm.Array, _known[element], (byte)delimiter![0])
                : ColumnType.Text;
        }

        foreach (var id in unknown)
            _known.TryAdd(id, ColumnType.Text);
    }
}
