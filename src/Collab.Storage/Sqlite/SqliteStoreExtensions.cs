using Collab.Server.Rooms;
using Collab.Storage.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Collab.Server;

/// <summary>Keeps room logs in an embedded SQLite database.</summary>
public static class SqliteStoreExtensions
{
    /// <summary>
    /// Keeps room logs in the file <c>collab.db</c> of the folder <c>Collab:DataDirectory</c>. What is wrong with the settings stops
    /// the start.
    /// </summary>
    /// <param name="collab">What <c>AddCollab()</c> returned.</param>
    /// <param name="configure">Changes settings after configuration was read.</param>
    public static ICollabBuilder AddSqliteStore(this ICollabBuilder collab, Action<SqliteRoomLogOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(collab);
        var services = collab.Services;
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
        return collab;
    }
}
