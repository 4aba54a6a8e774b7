using Collab.Redis;
using Collab.Server.Limits;
using Collab.Server.Nodes;
using Collab.Server.Security;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Collab.Server;

/// <summary>Makes this server one of several nodes that are connected by Redis.</summary>
public static class RedisExtensions
{
    /// <summary>
    /// Connects this node to the others over the Redis of <c>ConnectionStrings:Redis</c> (StackExchange.Redis' form, also of a cluster or of
    /// sentinels; <c>channelPrefix</c> separates services). All nodes need a store in common, such as Postgres. While Redis is away a node goes
    /// on with its own clients, and with the others through the store.
    /// </summary>
    /// <param name="collab">What <c>AddCollab()</c> returned.</param>
    /// <param name="configuration">Where the connection string stands.</param>
    /// <exception cref="InvalidOperationException">There is none, or it cannot be read; the message says what to set.</exception>
    public static ICollabBuilder AddRedis(this ICollabBuilder collab, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(collab);
        ArgumentNullException.ThrowIfNull(configuration);
        // Told at the start.
        SharedRedis.Parse(configuration[SharedRedis.ConnectionString]);
        var services = collab.Services;
        services.TryAddSingleton(provider => ActivatorUtilities.CreateInstance<SharedRedis>(provider, configuration));
        services.Replace(ServiceDescriptor.Singleton<IBackplane, RedisBackplane>());
        services.Replace(ServiceDescriptor.Singleton<ITicketStore, RedisTicketStore>());
        services.Replace(ServiceDescriptor.Singleton<ISharedCounts, RedisSharedCounts>());
        services.AddHttpForwarder();
        services.TryAddSingleton<NodeSecret>();
        services.AddHostedService(provider => provider.GetRequiredService<NodeSecret>());
        services.TryAddSingleton<INodeForwarder, NodeForwarder>();
        return collab;
    }
}
