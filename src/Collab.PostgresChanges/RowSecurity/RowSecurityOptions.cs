using System.Text;
using Microsoft.Extensions.Options;

namespace Collab.PostgresChanges.RowSecurity;

/// <summary>
/// As which role of the database a reader of the channels <c>db:schema.table</c> sees rows. Without <see cref="Roles"/> the right to subscribe is all
/// that he needs. Configuration section <c>Collab:PostgresChanges:RowSecurity</c>.
/// </summary>
public sealed class RowSecurityOptions
{
    private const int MaxNameBytes = 63;

    /// <summary>
    /// How to connect to the database, in Npgsql's form. Its user must be a member of all <see cref="Roles"/>. Default that of
    /// <c>Collab:PostgresChanges</c>, else <c>ConnectionStrings:Postgres</c>.
    /// </summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>The claim that names a reader's role. Default <c>role</c>.</summary>
    public string RoleClaim { get; set; } = "role";

    /// <summary>The roles that a claim may name. None, the default: rows are not checked.</summary>
    public IList<string> Roles { get; } = [];

    /// <summary>The role, one of <see cref="Roles"/>, of readers without the claim. Null, the default: they see nothing.</summary>
    public string? DefaultRole { get; set; }

    /// <summary>
    /// The setting in which policies find the reader's claims as a JSON object, by <c>current_setting('request.jwt.claims', true)::json</c>. Default
    /// <c>request.jwt.claims</c>, as PostgREST and Supabase have it.
    /// </summary>
    public string ClaimsSetting { get; set; } = "request.jwt.claims";

    /// <summary>How long the database may take to say which rows somebody sees, in milliseconds. 100 to 60,000; default 5,000.</summary>
    public int TimeoutMilliseconds { get; set; } = 5_000;

    /// <summary>How many connections ask it at the same time, at most. 1 to 100; default 8.</summary>
    public int MaxConnections { get; set; } = 8;

    /// <summary>Whether rows are checked.</summary>
    internal bool IsOn => Roles.Count > 0;

    internal string? Fault() =>
        !IsOn ? null
        : !PostgresChangesOptions.IsConnectionString(ConnectionString)
            ? "Set Collab:PostgresChanges:RowSecurity:ConnectionString to a connection string such as Host=db.example;Database=app;Username=collab;Password=…."
        : Roles.Any(role => role.Length == 0 || Encoding.UTF8.GetByteCount(role) > MaxNameBytes || role.Contains('\0', StringComparison.Ordinal))
            ? "Collab:PostgresChanges:RowSecurity:Roles must be names of roles, of 1 to 63 bytes."
        : RoleClaim.Length == 0 ? "Collab:PostgresChanges:RowSecurity:RoleClaim must name a claim, such as role."
        : DefaultRole is { } role && !Roles.Contains(role) ? "Collab:PostgresChanges:RowSecurity:DefaultRole must be one of Roles."
        // A setting of an extension or an application has a dot in its name; others are Postgres' own.
        : ClaimsSetting.Split('.').Length < 2 || ClaimsSetting.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not '.' and not '_') || ClaimsSetting.Split('.').Any(part => part.Length == 0)
            ? "Collab:PostgresChanges:RowSecurity:ClaimsSetting must be a name with a dot in it, such as request.jwt.claims."
        : TimeoutMilliseconds is < 100 or > 60_000 ? "Collab:PostgresChanges:RowSecurity:TimeoutMilliseconds must be 100 to 60000 milliseconds."
        : MaxConnections is < 1 or > 100 ? "Collab:PostgresChanges:RowSecurity:MaxConnections must be 1 to 100."
        : null;
}

/// <summary>Stops the start when settings are wrong.</summary>
internal sealed class ValidateRowSecurityOptions : IValidateOptions<RowSecurityOptions>
{
    public ValidateOptionsResult Validate(string? name, RowSecurityOptions options) =>
        options.Fault() is { } fault ? ValidateOptionsResult.Fail(fault) : ValidateOptionsResult.Success;
}
