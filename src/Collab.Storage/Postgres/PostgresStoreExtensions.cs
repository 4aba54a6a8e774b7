using Collab.Server.Rooms;
using Collab.Storage.Postgres;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Collab.Server;

/// <summary>Keeps room logs in Postgres.</summary>
public static class PostgresStoreExtensions
{
    /// <summary>
    /// Keeps room logs in the Postgres of <c>ConnectionStrings:Postgres</c>, in the schema <c>collab</c>, which is made when it is missing. Any
    /// number of nodes can share it. What is wrong with the settings stops the start; that Postgres is away does not.
    /// </summary>
    /// <param name="collab">What <c>AddCollab()</c> returned.</param>
    /// <param name="configure">Changes settings after configuration was read.</param>
    public static ICollabBuilder AddPostgresStore(this ICollabBuilder collab, Action<PostgresRoomLogOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(collab);
        var services = collab.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IValidateOptions<PostgresRoomLogOptions>, ValidatePostgresRoomLogOptions>());
        var options = services.AddOptions<PostgresRoomLogOptions>()
            .Configure<IConfiguration>(static (options, configuration) =>
            {
                configuration.GetSection("Collab:Postgres").Bind(options);
                options.ConnectionString = configuration.GetConnectionString("Postgres") ?? options.ConnectionString;
            })
            .ValidateOnStart();
        if (configure is not null)
            options.Configure(configure);
        services.Replace(ServiceDescriptor.Singleton<IRoomLog, PostgresRoomLog>());
        return collab;
    }
}
