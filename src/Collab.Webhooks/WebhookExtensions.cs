using Collab.Webhooks;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server;

/// <summary>Adds webhooks.</summary>
public static class WebhookExtensions
{
    /// <summary>The section of the configuration that has a list of webhooks.</summary>
    public const string Section = "Collab:Events:Webhooks";

    /// <summary>Adds a webhook.</summary>
    /// <param name="collab">What <c>AddCollab()</c> returned.</param>
    /// <param name="webhook">Where events are posted, and which.</param>
    /// <exception cref="ArgumentException">It is not whole; the message says what to set.</exception>
    public static ICollabBuilder AddWebhook(this ICollabBuilder collab, WebhookOptions webhook)
    {
        ArgumentNullException.ThrowIfNull(collab);
        ArgumentNullException.ThrowIfNull(webhook);
        return webhook.Fault(nameof(WebhookOptions)) is { } fault ? throw new ArgumentException(fault, nameof(webhook)) : Add(collab, webhook);
    }

    /// <summary>Adds the webhooks of the configuration: the list <see cref="Section"/>, whose elements also have the properties of the subscription.</summary>
    /// <param name="collab">What <c>AddCollab()</c> returned.</param>
    /// <param name="configuration">The application's configuration.</param>
    /// <exception cref="InvalidOperationException">One is not whole; the message says what to set.</exception>
    public static ICollabBuilder AddWebhooks(this ICollabBuilder collab, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(collab);
        ArgumentNullException.ThrowIfNull(configuration);
        foreach (var section in configuration.GetSection(Section).GetChildren())
        {
            var webhook = new WebhookOptions();
            section.Bind(webhook);
            section.Bind(webhook.Subscription);
            if (string.IsNullOrEmpty(webhook.Name))
                throw new InvalidOperationException($"{section.Path}:Name must name the webhook; what it has got is kept under this name.");
            if (webhook.Fault(section.Path) is { } fault)
                throw new InvalidOperationException(fault);
            Add(collab, webhook);
        }

        return collab;
    }

    private static ICollabBuilder Add(ICollabBuilder collab, WebhookOptions webhook) =>
        collab.AddEventSink(webhook.Name, webhook.Subscription, services => new WebhookSink(webhook, services.GetRequiredService<TimeProvider>()));
}
