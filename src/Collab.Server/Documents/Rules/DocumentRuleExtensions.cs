using Collab.Server.Documents;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server;

/// <summary>Adds rules for documents.</summary>
public static class DocumentRuleExtensions
{
    /// <summary>Adds a rule, one object for all documents. Rules are asked in the order in which they are added.</summary>
    /// <typeparam name="T">The rule.</typeparam>
    public static ICollabBuilder AddDocumentRule<T>(this ICollabBuilder builder)
        where T : class, IDocumentRule
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddSingleton<IDocumentRule, T>();
        return builder;
    }
}
