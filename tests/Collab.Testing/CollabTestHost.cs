using Collab.Server;
using Collab.Server.Security;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Collab.Testing;

/// <summary>A real server in this process: Kestrel on a free port, the hub over every transport, the store that the test chooses.</summary>
public sealed class CollabTestHost : IAsyncDisposable
{
    public const string Everything =
        """[{ "document": "*", "access": ["read", "write"] }, { "channel": "*", "access": ["subscribe", "publish", "presence"] }]""";
    public const string ReadEverything = """[{ "document": "*", "access": ["read"] }]""";

    private readonly WebApplication _app;
    private readonly List<TestClient> _clients = [];

    private CollabTestHost(WebApplication app) => _app = app;

    public string Url => _app.Urls.First();

    public IServiceProvider Services => _app.Services;

    /// <summary>Starts a server.</summary>
    /// <param name="settings">Configuration, such as <c>("Collab:Documents:BeatMilliseconds", "0")</c>.</param>
    /// <param name="configure">Adds the store and whatever else the test is about; without it documents are kept in memory.</param>
    public static async Task<CollabTestHost> StartAsync(
        IEnumerable<(string Key, string Value)>? settings = null, Action<ICollabBuilder>? configure = null)
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(
            (settings ?? []).Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        builder.Services.AddAuthentication(TestAuthentication.SchemeName)
            .AddCollabTickets()
            .AddScheme<AuthenticationSchemeOptions, TestAuthentication>(
                TestAuthentication.SchemeName, options => options.ForwardDefaultSelector = TicketDefaults.SchemeOf);
        var collab = builder.Services.AddCollab();
        configure?.Invoke(collab);

        var app = builder.Build();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapCollab();
        await app.StartAsync();
        return new CollabTestHost(app);
    }

    /// <summary>Connects a SignalR client.</summary>
    /// <param name="user">The user's id.</param>
    /// <param name="grants">What he may do.</param>
    /// <param name="transport">The only transport to use.</param>
    /// <param name="messagePack">The hub protocol: MessagePack, else JSON.</param>
    /// <param name="session">The name of its session, if any.</param>
    /// <param name="authorization">The header <c>Authorization</c>, in the place of user and grants.</param>
    public async Task<TestClient> ConnectAsync(
        string user = "ada", string grants = Everything, HttpTransportType transport = HttpTransportType.WebSockets, bool messagePack = true,
        string? session = null, string? authorization = null)
    {
        var client = TestClient.Create(Url, authorization ?? TestAuthentication.Header(user, grants), transport, messagePack, session);
        _clients.Add(client);
        await client.Connection.StartAsync();
        return client;
    }

    /// <summary>Stops it in good order, as SIGTERM does.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
            await client.DisposeAsync();
        await _app.DisposeAsync();
    }
}
