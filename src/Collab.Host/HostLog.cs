using Collab.Host.Security;
using Collab.Storage.Sqlite;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace Collab.Host;

/// <summary>What the host tells whoever starts it. Event ids 9000 to 9099.</summary>
internal static partial class HostLog
{
    /// <summary>Says, once the server listens, where the page is and where the data lie.</summary>
    public static void ReportStart(this WebApplication app)
    {
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Collab");
        app.Lifetime.ApplicationStarted.Register(() =>
        {
            var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
            foreach (var address in addresses)
                Listening(logger, address);
            // What a store in Postgres has to say it says itself.
            if (!app.Configuration.IsShared())
                DataFolder(logger, Path.GetFullPath(app.Services.GetRequiredService<IOptions<SqliteRoomLogOptions>>().Value.DataDirectory));
            if (app.Environment.IsDevelopment())
                GuestsAllowed(logger);
            if (app.Services.GetRequiredService<TokenSources>().IncludeQuery)
                TokensInAddresses(logger);
        });
    }

    [LoggerMessage(9000, LogLevel.Information, "Collab is at {Address}")]
    private static partial void Listening(ILogger logger, string address);

    [LoggerMessage(9001, LogLevel.Information, "Data are kept in {Folder}")]
    private static partial void DataFolder(ILogger logger, string folder);

    [LoggerMessage(9002, LogLevel.Warning,
        "Development: callers without a token are signed in as guests who may read and write everything and, on this machine, administer the server. Anywhere else they are refused")]
    private static partial void GuestsAllowed(ILogger logger);

    [LoggerMessage(9003, LogLevel.Warning,
        "Collab:Security:AcceptAccessTokenInQuery is on: the hub takes tokens in addresses, which proxies write into their logs. "
        + "Tickets avoid that")]
    private static partial void TokensInAddresses(ILogger logger);

    [LoggerMessage(9004, LogLevel.Warning,
        "A token came over plain http from another machine: whoever is on the way can take it. Set up TLS and Collab:Https:Required; "
        + "if a proxy in front ends TLS, name it in Collab:Proxies. This is said once")]
    public static partial void TokenInClear(ILogger logger);

    [LoggerMessage(9005, LogLevel.Warning,
        "A caller without a token came over plain http by a name that is not localhost, and was not signed in as a guest: any page can have its name point "
        + "here. If it is yours, list it in AllowedHosts")]
    public static partial void GuestFromElsewhere(ILogger logger);
}
