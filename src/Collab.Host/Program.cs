// The ready-made server: Collab with the embedded store and the demo page. Everything it does is in the libraries; see docs/architecture.md.
using Collab.Host;
using Collab.Host.Moving;
using Collab.Host.Security;
using Collab.Server;

if (args is ["health", var address])
    return await HealthProbe.RunAsync(address);

if (args is ["import" or "export", ..])
    return await MovingCommands.RunAsync(args);

return await HostRun.RunAsync(() =>
{
    var builder = WebApplication.CreateBuilder(new WebApplicationOptions
    {
        Args = args,
        // The demo page and the settings lie beside the program, wherever it is started from.
        ContentRootPath = AppContext.BaseDirectory,
    });

    // Sparse traffic costs mostly hops between threads: what arrives is handled where it arrives (see bench/README.md).
    builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);

    builder.AddCollabTransport();
    builder.Logging.KeepAddressesOutOfLogs();
    builder.Services.AddCollabAuthentication(builder.Configuration, builder.Environment);
    var collab = builder.Services.AddCollab();
    collab.AddConfiguredStore(builder.Configuration);
    collab.AddConfiguredRules(builder.Configuration);
    collab.AddWebhooks(builder.Configuration);
    collab.AddRedisStreams(builder.Configuration);
    collab.AddRabbitMq(builder.Configuration);
    collab.AddKafka(builder.Configuration);
    collab.AddPostgresChanges();
    builder.Services.AddCollabCors();
    builder.Services.AddCollabOpenApi();
    builder.Services.AddCollabTelemetry(builder.Configuration);
    // A caller's mistake is answered in Development as it is in Production: with a problem document, not with a page of exceptions.
    builder.Services.PostConfigure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = false);
    // Sooner than whoever stops it loses patience (deploy/ gives it 15 seconds and more).
    builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(10));

    var app = builder.Build();

    app.UseCollabTransport();
    app.UseMiddleware<SecurityHeaders>();
    app.UseCollabCors();
    app.UseAuthentication();
    app.UseDefaultFiles();
    app.UseStaticFiles();
    app.UseAuthorization();
    app.MapCollab();
    app.MapCollabOpenApi();
    app.MapCollabMetrics();
    app.MapFallbackToFile("/admin", "admin.html").AllowAnonymous();
    app.MapFallbackToFile("/d/{**documentId}", "index.html").AllowAnonymous();
    app.ReportStart();
    return app;
});
