using Collab.PostgresChanges;
using Collab.PostgresChanges.Messages;
using Collab.PostgresChanges.RowSecurity;
using Collab.Server.Channels;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Collab.Server;

/// <summary>Makes changes of Postgres tables messages in channels.</summary>
public static class PostgresChangesExtensions
{
    /// <summary>
    /// Follows the tables that the section <c>Collab:PostgresChanges</c> names, by logical replication: each change of a row is a message in the channel
    /// <c>db:schema.table</c>, in which nobody else can publish then. Without tables nothing is done. What is wrong with the settings stops the start; that
    /// the database is away, or not set up for it, does not: it is logged with what to run, and tried again.
    /// </summary>
    /// <param name="collab">What <c>AddCollab()</c> returned.</param>
    /// <param name="configure">Changes settings after configuration was read.</param>
    public static ICollabBuilder AddPostgresChanges(this ICollabBuilder collab, Action<PostgresChangesOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(collab);
        var services = collab.Services;
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IValidateOptions<PostgresChangesOptions>, ValidatePostgresChangesOptions>());
        var options = services.AddOptions<PostgresChangesOptions>()
            .Configure<IConfiguration>(static (options, configuration) =>
            {
                options.ConnectionString = configuration.GetConnectionString("Postgres") ?? "";
                configuration.GetSection("Collab:PostgresChanges").Bind(options);
            })
            .ValidateOnStart();
        if (configure is not null)
            options.Configure(configure);
        services.AddSingleton<ChangesStatus>();
        services.AddSingleton<ChangesMetrics>();
        services.AddHostedService<ChangesReader>();
        services.AddRowSecurity();
        services.AddHealthChecks().AddCheck<ChangesHealthCheck>("postgres_changes", tags: [CollabServiceCollectionExtensions.ReadyTag]);
        return collab;
    }
}
