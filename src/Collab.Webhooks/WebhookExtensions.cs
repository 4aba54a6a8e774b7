using Collab.Server.Events;
using Collab.Webhooks;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server;

/// <summary>Posts events to webhooks.</summary>
public static class WebhookExtensions
{
    /// <summary>Adds a webhook.</summary>
    /// <param name="collab">What <c>AddCollab()</c> returned.</param>
    /// <param name="name">Names it for ever; see <see cref="EventSinkExtensions.AddEventSink"/>.</param>
    /// <param name="webhook">Where events are posted.</param>
    /// <param name="subscription">Which events.</param>
    /// <exception cref="ArgumentException">It is not whole; the message says what to set.</exception>
    public static ICollabBuilder AddWebhook(this ICollabBuilder collab, string name, WebhookOptions webhook, EventSubscription subscription)
    {
        ArgumentNullException.ThrowIfNull(collab);
        ArgumentNullException.ThrowIfNull(webhook);
        if (webhook.Fault(nameof(WebhookOptions)) is { } fault)
            throw new ArgumentException(fault, nameof(webhook));
        return collab.AddEventSink(name, subscription, services => Create(services, webhook));
    }

    /// <summary>Adds the webhooks of <c>Collab:Events:Webhooks</c>. Nothing happens when the list is empty.</summary>
    /// <param name="collab">What <c>AddCollab()</c> returned.</param>
    /// <param name="configuration">Where the settings stand.</param>
    /// <exception cref="InvalidOperationException">A setting is missing or wrong; the message says what to set.</exception>
    public static ICollabBuilder AddWebhooks(this ICollabBuilder collab, IConfiguration configuration) => collab.AddEventSinks<WebhookOptions>(
        configuration, "Collab:Events:Webhooks", static (webhook, section) => webhook.Fault(section), Create);

    private static WebhookSink Create(IServiceProvider services, WebhookOptions webhook) => new(webhook, services.GetRequiredService<TimeProvider>());
}
