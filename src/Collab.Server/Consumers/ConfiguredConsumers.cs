using Collab.Server.Consumers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Collab.Server;

/// <summary>Adds the consumers that the configuration lists.</summary>
public static class ConfiguredConsumers
{
    /// <summary>
    /// Adds a consumer for each item of a list in the configuration, such as <c>Collab:Consumers:RabbitMq</c>. It runs as long as the server and
    /// hands what it reads to <see cref="IChannelIntake"/>. Nothing happens when the list is empty.
    /// </summary>
    /// <typeparam name="TOptions">A consumer's settings.</typeparam>
    /// <param name="collab">What <c>AddCollab()</c> returned.</param>
    /// <param name="configuration">Where the list stands.</param>
    /// <param name="list">The key of the list.</param>
    /// <param name="fault">Says, for settings and the key that they stand under, which is missing or wrong; null when none is.</param>
    /// <param name="consumer">Makes the consumer, once.</param>
    /// <exception cref="InvalidOperationException">A setting is missing or wrong; the message says what to set.</exception>
    public static ICollabBuilder AddConsumers<TOptions>(
        this ICollabBuilder collab, IConfiguration configuration, string list, Func<TOptions, string, string?> fault, Func<IServiceProvider, TOptions, IHostedService> consumer)
        where TOptions : ConsumerOptions, new()
    {
        ArgumentNullException.ThrowIfNull(collab);
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(fault);
        ArgumentNullException.ThrowIfNull(consumer);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in configuration.GetSection(list).GetChildren())
        {
            var options = item.Get<TOptions>() ?? new();
            if (fault(options, item.Path) is { } sentence)
                throw new InvalidOperationException(sentence);
            if (!names.Add(options.Name))
                throw new InvalidOperationException($"{item.Path}:Name must be another one: what a consumer has published is known by its name, and {options.Name} is taken.");
            collab.Services.AddSingleton(services => consumer(services, options));
        }

        return collab;
    }
}
