using Collab.Server;

namespace Collab.Host;

/// <summary>
/// Where this server keeps its data, and whether it is alone: embedded, or in the Postgres of <c>ConnectionStrings:Postgres</c>; with
/// <c>ConnectionStrings:Redis</c> it is one of several nodes.
/// </summary>
internal static class HostStore
{
    /// <exception cref="InvalidOperationException">There is a Redis but no store that nodes could have in common.</exception>
    public static void AddConfiguredStore(this ICollabBuilder collab, IConfiguration configuration)
    {
        if (configuration.IsShared())
            collab.AddPostgresStore();
        else
            collab.AddSqliteStore();
        if (string.IsNullOrEmpty(configuration.GetConnectionString("Redis")))
            return;
        if (!configuration.IsShared())
        {
            throw new InvalidOperationException(
                "ConnectionStrings:Redis makes this server one of several, which need a store in common. Set ConnectionStrings:Postgres too.");
        }

        collab.AddRedis(configuration);
    }

    /// <summary>Whether the data are where other servers can have them too.</summary>
    public static bool IsShared(this IConfiguration configuration) => !string.IsNullOrEmpty(configuration.GetConnectionString("Postgres"));
}
