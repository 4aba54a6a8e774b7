using Collab.Server.Rooms;
using Collab.Storage.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Keeps room logs in an embedded SQLite database.</summary>
public static class SqliteStoreExtensions
{
    /// <summary>
    /// Keeps room logs in the file <c>collab.db</c> of the folder <c>Collab:DataDirectory</c>. What is wrong with the settings stops
    /// the start.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Changes settings after configuration was read.</param>
    public static IServiceCollection AddCollabSqliteStore(
        this IServiceCollection services, Action<SqliteRoomLogOptions>? configure = null)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IValidateOptions<SqliteRoomLogOptions>, ValidateSqliteRoomLogOptions>());
        var options = services.AddOptions<SqliteRoomLogOptions>()
            .Configure<IConfiguration>(static (options, configuration) =>
            {
                configuration.GetSection("Collab:Sqlite").Bind(options);
                options.DataDirectory = configuration["Collab:DataDirectory"] ?? options.DataDirectory;
            })
            .ValidateOnStart();
        if (configure is not null)
            options.Configure(configure);
        services.Replace(ServiceDescriptor.Singleton<IRoomLog, SqliteRoomLog>());
        return services;
    }
}
