using Npgsql;

namespace Collab.LiveTable;

/// <summary>A table of tasks in Postgres.</summary>
internal sealed class TaskTable(NpgsqlDataSource database)
{
    /// <summary>Its name, with its schema.</summary>
    public const string Name = "public.tasks";

    public async Task CreateAsync() => await RunAsync(
        "CREATE TABLE IF NOT EXISTS public.tasks (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text NOT NULL, done boolean NOT NULL DEFAULT false)");

    /// <summary>All tasks as they are now.</summary>
    public async Task<IReadOnlyList<TaskRow>> ReadAsync()
    {
        await using var command = database.CreateCommand("SELECT id, title, done FROM public.tasks ORDER BY id");
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<TaskRow>();
        while (await reader.ReadAsync())
            rows.Add(new TaskRow(reader.GetInt64(0), reader.GetString(1), reader.GetBoolean(2)));
        return rows;
    }

    public Task AddAsync(string title) => RunAsync("INSERT INTO public.tasks (title) VALUES ($1)", title);

    public Task SetDoneAsync(long id, bool done) => RunAsync("UPDATE public.tasks SET done = $2 WHERE id = $1", id, done);

    public Task DeleteAsync(long id) => RunAsync("DELETE FROM public.tasks WHERE id = $1", id);

    private async Task RunAsync(string sql, params object[] values)
    {
        await using var command = database.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        await command.ExecuteNonQueryAsync();
    }
}

/// <summary>A task, as a row has it.</summary>
internal sealed record TaskRow(long Id, string Title, bool Done);

/// <summary>What the form sends.</summary>
internal sealed record NewTask(string? Title);

/// <summary>What a check box sends.</summary>
internal sealed record ChangedTask(bool Done);
