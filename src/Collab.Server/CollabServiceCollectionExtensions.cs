using Collab.Server.Channels;
using Collab.Server.Channels.EventStream;
using Collab.Server.Consumers;
using Collab.Server.Documents;
using Collab.Server.Documents.Data;
using Collab.Server.Documents.Handlers;
using Collab.Server.Documents.Versions;
using Collab.Server.Events;
using Collab.Server.Fanout;
using Collab.Server.Gateways;
using Collab.Server.Gateways.Hocuspocus;
using Collab.Server.Gateways.YWebSocket;
using Collab.Server.Limits;
using Collab.Server.Nodes;
using Collab.Server.Operations;
using Collab.Server.Rooms;
using Collab.Server.Security;
using MessagePack;
using MessagePack.Formatters;
using MessagePack.Resolvers;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Collab.Server;

/// <summary>Adds Collab to an ASP.NET Core application.</summary>
public static class CollabServiceCollectionExtensions
{
    internal const string ReadyTag = "ready";

    /// <summary>
    /// Adds the hub and its services, with documents in memory. Add a store to keep them (<c>AddSqliteStore()</c>), and
    /// authentication: without a signed-in user with grants nothing is allowed.
    /// </summary>
    public static ICollabBuilder AddCollab(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);

        AddOptions<FanoutOptions>(services, "Collab:Fanout", options => options.Fault());
        AddOptions<DocumentOptions>(services, "Collab:Documents", options => options.Fault());
        AddOptions<VersionOptions>(services, "Collab:Versions", options => options.Fault());
        AddOptions<ChannelOptions>(services, "Collab:Channels", options => options.Fault());
        AddOptions<NodeOptions>(services, "Collab:Nodes", options => options.Fault());
        AddOptions<LimitOptions>(services, "Collab:Limits", options => options.Fault());
        AddOptions<SecurityOptions>(services, "Collab:Security", options => options.Fault());
        AddOptions<OriginOptions>(services, "Collab", options => options.Fault());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IRoomLog, InMemoryRoomLog>();

        var signalR = AddHub(services);
        services.TryAddSingleton<IDocumentEngine, ManagedEngine>();
        services.TryAddSingleton<IBackplane, NoBackplane>();
        services.AddSingleton<NodeBus>();
        services.AddSingleton<NodeDirectory>();
        services.AddSingleton<ConnectionRouting>();
        services.AddSingleton<IStartupFilter>(provider => provider.GetRequiredService<ConnectionRouting>());
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<NodeDirectory>());
        services.AddHostedService<RoomHealing>();
        services.AddSingleton<DocumentCompactor>();
        services.AddSingleton<DocumentHooks>();
        services.AddSingleton<DocumentReader>();
        services.AddSingleton<DocumentRooms>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<DocumentRooms>());
        services.AddSingleton<DocumentRates>();
        services.AddSingleton<DocumentService>();
        services.AddSingleton<DocumentEditor>();
        services.AddSingleton<DocumentViewStream>();
        services.AddSingleton<VersionLog>();
        services.AddSingleton<DocumentVersions>();
        services.AddHostedService<AutomaticVersions>();
        services.TryAddSingleton<IDocumentClient, DocumentClient>();

        AddEvents(services);
        services.AddMetrics();
        services.AddSingleton<RoomMetrics>();
        services.AddSingleton<FanoutMetrics>();
        services.AddSingleton<NodeMetrics>();
        services.AddSingleton<ChannelMetrics>();
        services.AddSingleton<ChannelRooms>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<ChannelRooms>());
        services.AddSingleton<PublishLimits>();
        services.AddSingleton<ChannelService>();
        services.AddSingleton<ConsumerMetrics>();
        services.TryAddSingleton<IChannelIntake, ChannelIntake>();
        services.AddSingleton<EventStreams>();
        services.AddSingleton<GatewaySockets>();
        services.AddSingleton<GatewayConnections>();
        services.AddSingleton<GatewayKeepAlive>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<GatewayKeepAlive>());
        services.AddSingleton<YWebSocketGateway>();
        services.AddSingleton<HocuspocusGateway>();
        services.TryAddSingleton<ISharedCounts, NoSharedCounts>();
        services.AddSingleton<ConnectionCounts>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<ConnectionCounts>());
        services.AddSingleton<RequestRate>();
        services.AddSingleton<Connections>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<Connections>());

        services.AddAuthorization(options => options.AddPolicy(
            CollabPolicies.Administration, policy => policy.RequireAuthenticatedUser().AddRequirements(new AdministrationRequirement())));
        services.AddSingleton<IAuthorizationHandler, AdministrationHandler>();
        services.AddSingleton<NodeLoadReader>();
        services.AddSingleton<ConnectionOwners>();
        services.AddSingleton<ConnectionGate>();
        services.AddSingleton<MessageSignIn>();
        services.AddSingleton<Revocations>();
        services.AddSingleton<RevocationLog>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<RevocationLog>());
        services.AddSingleton<RoomAuthorizer>();
        services.AddSingleton<OriginCheck>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IAuthorizationHandler, GrantAuthorizationHandler>());
        services.AddHealthChecks()
            .AddCheck<StoreHealthCheck>("store", tags: [ReadyTag])
            .AddCheck<BackplaneHealthCheck>("backplane", tags: [ReadyTag]);
        return new CollabBuilder(services, signalR);
    }

    private static void AddEvents(IServiceCollection services)
    {
        AddOptions<EventOptions>(services, "Collab:Events", options => options.Fault());
        services.AddSingleton<EventSinks>();
        services.AddSingleton<EventOutbox>();
        services.AddSingleton<SinkStates>();
        services.AddSingleton<EventComposer>();
        services.AddSingleton<EventDeadLetters>();
        services.AddSingleton<EventMetrics>();
        services.AddSingleton<EventServices>();
        services.AddSingleton<DispatcherLease>();
        services.AddSingleton<ChannelOccupancy>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<ChannelOccupancy>());
        services.AddHostedService<EventDispatcher>();
    }

    private static ISignalRServerBuilder AddHub(IServiceCollection services)
    {
        services.AddSingleton(provider => new CollabLifetimeManager(
            new DefaultHubLifetimeManager<CollabHub>(provider.GetRequiredService<ILogger<DefaultHubLifetimeManager<CollabHub>>>()),
            provider.GetRequiredService<IOptions<FanoutOptions>>(),
            provider.GetRequiredService<IOptions<LimitOptions>>(),
            provider.GetRequiredService<FanoutMetrics>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>()));
        services.AddSingleton<HubLifetimeManager<CollabHub>>(provider => provider.GetRequiredService<CollabLifetimeManager>());
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<CollabLifetimeManager>());
        services.AddHostedService<CloseOnStop>();

        services.TryAddSingleton<IUserIdProvider, SubjectUserIdProvider>();
        var signalR = services
            .AddSignalR()
            .AddHubOptions<CollabHub>(hub => hub.AddFilter<CollabErrorFilter>())
            .AddMessagePackProtocol(options => options.SerializerOptions = MessagePackSerializerOptions.Standard
                .WithResolver(CompositeResolver.Create(
                    [new FramePositionMessagePackFormatter(), new JsonDataMessagePackFormatter(), new SubscribeOptionsMessagePackFormatter()],
                    [DynamicEnumAsStringResolver.Instance, ContractlessStandardResolver.Instance]))
                .WithSecurity(MessagePackSecurity.UntrustedData));

        AddProtocols(services);

        // After AddHubOptions, which begins from SignalR's defaults.
        services.AddOptions<HubOptions<CollabHub>>().Configure<IOptions<DocumentOptions>, IOptions<FanoutOptions>>((hub, documents, fanout) =>
        {
            hub.KeepAliveInterval = TimeSpan.FromMilliseconds(fanout.Value.KeepAliveMilliseconds);
            hub.ClientTimeoutInterval = TimeSpan.FromSeconds(30);
            hub.HandshakeTimeout = TimeSpan.FromSeconds(5);
            // Calls wait for their beat, not for the processor: a client that does not wait for each answer gets many into one beat.
            hub.MaximumParallelInvocationsPerClient = 64;
            // Base64 takes four thirds; what is a little over the limit shall get its error and not lose its connection.
            hub.MaximumReceiveMessageSize = documents.Value.MaxUpdateBytes * 2L + 4096;
            hub.EnableDetailedErrors = false;
        });
        return signalR;
    }

    /// <summary>Puts <see cref="CollabHubProtocol"/> before both protocols: of one name SignalR takes the last.</summary>
    private static void AddProtocols(IServiceCollection services)
    {
        foreach (var protocol in services.Where(service => service.ServiceType == typeof(IHubProtocol)).ToArray())
        {
            var type = protocol.ImplementationType!;
            services.AddSingleton<IHubProtocol>(provider =>
                new CollabHubProtocol((IHubProtocol)ActivatorUtilities.CreateInstance(provider, type)));
        }
    }

    private static void AddOptions<TOptions>(IServiceCollection services, string section, Func<TOptions, string?> fault)
        where TOptions : class
    {
        services.AddOptions<TOptions>().BindConfiguration(section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<TOptions>>(new FaultValidator<TOptions>(fault));
    }

    private sealed class FaultValidator<TOptions>(Func<TOptions, string?> fault) : IValidateOptions<TOptions>
        where TOptions : class
    {
        public ValidateOptionsResult Validate(string? name, TOptions options) =>
            fault(options) is { } sentence ? ValidateOptionsResult.Fail(sentence) : ValidateOptionsResult.Success;
    }
}
