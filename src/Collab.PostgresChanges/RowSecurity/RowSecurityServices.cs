using Collab.Server.Channels.Views;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Collab.PostgresChanges.RowSecurity;

/// <summary>Adds what lets readers see of a table's channel only the rows that they may see in the table.</summary>
internal static class RowSecurityServices
{
    public static void AddRowSecurity(this IServiceCollection services)
    {
        services.AddSingleton<IValidateOptions<RowSecurityOptions>, ValidateRowSecurityOptions>();
        services.AddOptions<RowSecurityOptions>()
            .Configure<IConfiguration, IOptions<PostgresChangesOptions>>(static (options, configuration, changes) =>
            {
                options.ConnectionString = changes.Value.ConnectionString;
                configuration.GetSection("Collab:PostgresChanges:RowSecurity").Bind(options);
            })
            .ValidateOnStart();
        services.AddSingleton<VisibleRows>();
        services.AddSingleton<IChannelAudience, RowAudience>();
    }
}
