using Microsoft.Extensions.Options;

namespace Collab.Host.Security;

/// <summary>
/// Keeps addresses out of the log, as tickets and tokens may stand in them: ASP.NET Core writes whole addresses below the level Warning
/// in a few categories, and these are held at Warning whatever is configured.
/// </summary>
internal static class AddressLogging
{
    private static readonly string[] Categories =
    [
        "Microsoft.AspNetCore.Hosting.Diagnostics",
        "Microsoft.AspNetCore.HttpsPolicy.HttpsRedirectionMiddleware",
        "Microsoft.AspNetCore.Server.Kestrel.BadRequests",
    ];

    public static void KeepAddressesOutOfLogs(this ILoggingBuilder logging) =>
        logging.Services.AddSingleton<IPostConfigureOptions<LoggerFilterOptions>>(
            new PostConfigureOptions<LoggerFilterOptions>(Options.DefaultName, Cap));

    // Of the rules that fit a category those for one provider win over those for all, then the last.
    private static void Cap(LoggerFilterOptions options)
    {
        string?[] providers = [.. options.Rules.Select(rule => rule.ProviderName).Append(null).Distinct()];
        foreach (var category in Categories)
        {
            foreach (var provider in providers)
                options.Rules.Add(new LoggerFilterRule(provider, category, LogLevel.Warning, null));
        }
    }
}
