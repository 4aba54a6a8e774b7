using Collab.Schema;
using Collab.Server.Documents;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server;

/// <summary>Adds the rule that a part of documents stays valid by a JSON Schema.</summary>
public static class JsonSchemaRuleExtensions
{
    /// <summary>Adds the rule that a root must stay valid by a JSON Schema; until it is first written to it may be missing.</summary>
    /// <param name="builder">The server.</param>
    /// <param name="documents">For which documents, such as <c>forms/*</c>: <c>*</c> stands for any run of characters.</param>
    /// <param name="root">The root, a map as a rule.</param>
    /// <param name="schema">The schema as JSON, of any draft from 6 on.</param>
    /// <exception cref="ArgumentException">It is no schema.</exception>
    public static ICollabBuilder AddJsonSchemaRule(this ICollabBuilder builder, string documents, string root, string schema)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(documents);
        ArgumentException.ThrowIfNullOrEmpty(root);
        Json.Schema.JsonSchema read;
        try
        {
            read = Json.Schema.JsonSchema.FromText(schema);
        }
        catch (Exception exception) when (exception is System.Text.Json.JsonException or InvalidOperationException or NotSupportedException or ArgumentException)
        {
            throw new ArgumentException("This is no JSON Schema.", nameof(schema), exception);
        }

        builder.Services.AddSingleton<IDocumentRule>(new JsonSchemaRule(documents, root, read));
        return builder;
    }
}
