using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server;

/// <summary>What <c>AddCollab()</c> returns: stores and backplanes are added to it.</summary>
public interface ICollabBuilder
{
    /// <summary>The application's services.</summary>
    IServiceCollection Services { get; }

    /// <summary>The SignalR server that Collab's hub runs on, to tune it further.</summary>
    ISignalRServerBuilder SignalR { get; }
}

internal sealed record CollabBuilder(IServiceCollection Services, ISignalRServerBuilder SignalR) : ICollabBuilder;
