using Microsoft.Extensions.Options;
using Npgsql;

namespace Collab.Storage.Postgres;

/// <summary>Where and how room logs are kept in Postgres.</summary>
public sealed class PostgresRoomLogOptions
{
    /// <summary>
    /// How to connect, in Npgsql's form; its user must be allowed to create the schema <c>collab</c>, or own it. Configuration key
    /// <c>ConnectionStrings:Postgres</c>.
    /// </summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>
    /// How many bytes may wait to be written before appends are refused with <c>unavailable</c>.
    /// Configuration key <c>Collab:Postgres:MaxQueuedBytes</c>.
    /// </summary>
    public long MaxQueuedBytes { get; set; } = 64 << 20;

    /// <summary>
    /// How long a commit is tried again after the connection was lost, before those who wait for it are told <c>unavailable</c>.
    /// Configuration key <c>Collab:Postgres:Patience</c>.
    /// </summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(10);
}

/// <summary>Stops the start when the connection string is missing or cannot be read.</summary>
internal sealed class ValidatePostgresRoomLogOptions : IValidateOptions<PostgresRoomLogOptions>
{
    private const string Sentence = "Set ConnectionStrings:Postgres to a connection string such as Host=db.example;Database=collab;Username=collab;Password=….";

    public ValidateOptionsResult Validate(string? name, PostgresRoomLogOptions options)
    {
        if (options.MaxQueuedBytes <= 0)
            return ValidateOptionsResult.Fail("Collab:Postgres:MaxQueuedBytes must be more than 0.");
        if (options.Patience < TimeSpan.Zero || options.Patience > TimeSpan.FromMinutes(5))
            return ValidateOptionsResult.Fail("Collab:Postgres:Patience must be between 0 and 5 minutes.");
        try
        {
            return string.IsNullOrEmpty(new NpgsqlConnectionStringBuilder(options.ConnectionString).Host)
                ? ValidateOptionsResult.Fail(Sentence)
                : ValidateOptionsResult.Success;
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            // What is wrong may be the password: it is not repeated.
            return ValidateOptionsResult.Fail(Sentence);
        }
    }
}
