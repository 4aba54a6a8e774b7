using System.Buffers;
using Collab.PostgresChanges.Messages;
using Collab.Protocol;
using Collab.Server.Channels;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Collab.PostgresChanges;

/// <summary>Which tables become channels, and how they are followed. Configuration section <c>Collab:PostgresChanges</c>.</summary>
public sealed class PostgresChangesOptions
{
    private const int MaxNameBytes = 63;

    private static readonly SearchValues<char> OfSlots = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_");

    /// <summary>
    /// How to connect to the database whose tables are followed, in Npgsql's form, not through a connection pooler. Default
    /// <c>ConnectionStrings:Postgres</c>.
    /// </summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>
    /// The tables, each as <c>schema.table</c>; their changes are messages in the channels <c>db:schema.table</c>. None, the default: nothing is followed.
    /// </summary>
    public IList<string> Tables { get; } = [];

    /// <summary>The replication slot, which is made when it is missing: lower-case letters, digits and <c>_</c>. Nobody else may use it. Default <c>collab</c>.</summary>
    public string Slot { get; set; } = "collab";

    /// <summary>The publication, which is made when it is missing. Default <c>collab</c>.</summary>
    public string Publication { get; set; } = "collab";

    /// <summary>How many changes are stored together at most. 1 to 100,000; default 4,096.</summary>
    public int BatchRows { get; set; } = 4_096;

    /// <summary>How many bytes of messages are stored together at most, a little more for the last. 1 KiB to 64 MiB; default 1 MiB.</summary>
    public int BatchBytes { get; set; } = 1024 * 1024;

    /// <summary>How often the slot and the tables are looked at, in milliseconds. 100 to 600,000; default 5,000.</summary>
    public int CheckMilliseconds { get; set; } = 5_000;

    /// <summary>When so much of the write-ahead log has not been taken yet, it is logged and <c>/health/ready</c> says so, in bytes. Default 256 MiB.</summary>
    public long LagAlarmBytes { get; set; } = 256L * 1024 * 1024;

    internal string? Fault(ChannelOptions channels)
    {
        if (Tables.Count == 0)
            return null;
        return !IsConnectionString(ConnectionString)
                ? "Set Collab:PostgresChanges:ConnectionString to a connection string such as Host=db.example;Database=app;Username=collab;Password=…."
            : Slot.Length is 0 or > MaxNameBytes || Slot.AsSpan().ContainsAnyExcept(OfSlots)
                ? "Collab:PostgresChanges:Slot must be 1 to 63 lower-case letters, digits and _."
            : Publication.Length is 0 or > MaxNameBytes || Publication.Contains('\0', StringComparison.Ordinal)
                ? "Collab:PostgresChanges:Publication must be a name of 1 to 63 characters."
            : BatchRows is < 1 or > 100_000 ? "Collab:PostgresChanges:BatchRows must be 1 to 100000."
            : BatchBytes is < 1024 or > 64 * 1024 * 1024 ? "Collab:PostgresChanges:BatchBytes must be 1024 to 67108864 bytes."
            : CheckMilliseconds is < 100 or > 600_000 ? "Collab:PostgresChanges:CheckMilliseconds must be 100 to 600000 milliseconds."
            : LagAlarmBytes < 1 ? "Collab:PostgresChanges:LagAlarmBytes must be at least 1."
            : Tables.Select((table, i) => Fault(table, $"Collab:PostgresChanges:Tables:{i}", channels)).FirstOrDefault(fault => fault is not null)
                ?? (Tables.Distinct(StringComparer.Ordinal).Count() < Tables.Count ? "Collab:PostgresChanges:Tables has a table twice." : null);
    }

    private static string? Fault(string table, string key, ChannelOptions channels) =>
        table.Split('.') is not [{ Length: > 0 }, { Length: > 0 }] ? $"{key} must be a table as schema.table, such as public.orders."
        : !RoomName.IsValid(FollowedTable.ChannelOf(table)) ? $"{key}: a table that is followed has a name of A-Z a-z 0-9 _ ~ : @ -, as its channel has that name too."
        : channels.Of(FollowedTable.ChannelOf(table)).Ephemeral
            ? $"{key}: the channel {FollowedTable.ChannelOf(table)} is in an ephemeral namespace of Collab:Channels; changes of tables must be durable. Put a namespace for it before that one."
        : null;

    internal static bool IsConnectionString(string text)
    {
        try
        {
            return !string.IsNullOrEmpty(new NpgsqlConnectionStringBuilder(text).Host);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException)
        {
            // What is wrong may be the password: it is not repeated.
            return false;
        }
    }
}

/// <summary>Stops the start when settings are wrong.</summary>
internal sealed class ValidatePostgresChangesOptions(IOptions<ChannelOptions> channels) : IValidateOptions<PostgresChangesOptions>
{
    public ValidateOptionsResult Validate(string? name, PostgresChangesOptions options) =>
        options.Fault(channels.Value) is { } fault ? ValidateOptionsResult.Fail(fault) : ValidateOptionsResult.Success;
}
