using Collab.Server.Documents.Handlers;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server;

/// <summary>Adds an application's own code to documents.</summary>
public static class DocumentHandlerExtensions
{
    /// <summary>Adds a handler that is told what happens to documents on this node. There may be several; they are told in the order in which they are added.</summary>
    /// <typeparam name="THandler">The handler; made once, by dependency injection.</typeparam>
    /// <param name="collab">What <c>AddCollab()</c> returned.</param>
    public static ICollabBuilder AddDocumentHandler<THandler>(this ICollabBuilder collab)
        where THandler : class, IDocumentHandler
    {
        ArgumentNullException.ThrowIfNull(collab);
        collab.Services.AddSingleton<IDocumentHandler, THandler>();
        return collab;
    }

    /// <summary>Sets the loader that supplies the first state of documents that do not exist yet. The last one that is set is asked.</summary>
    /// <typeparam name="TLoader">The loader; made once, by dependency injection.</typeparam>
    /// <param name="collab">What <c>AddCollab()</c> returned.</param>
    public static ICollabBuilder AddDocumentLoader<TLoader>(this ICollabBuilder collab)
        where TLoader : class, IDocumentLoader
    {
        ArgumentNullException.ThrowIfNull(collab);
        collab.Services.AddSingleton<IDocumentLoader, TLoader>();
        return collab;
    }
}
