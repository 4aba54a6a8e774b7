using Collab.Server;

namespace Collab.Host;

/// <summary>The rules for documents that the settings name: <c>Collab:Rules</c>, a list of JSON Schemas and what they are for.</summary>
internal static class HostRules
{
    /// <exception cref="InvalidOperationException">A rule is not whole, or its file is no schema.</exception>
    public static ICollabBuilder AddConfiguredRules(this ICollabBuilder collab, IConfiguration configuration)
    {
        foreach (var rule in configuration.GetSection("Collab:Rules").GetChildren())
        {
            var (documents, root, file) = (rule["Documents"], rule["Root"], rule["SchemaFile"]);
            if (string.IsNullOrEmpty(documents) || string.IsNullOrEmpty(root) || string.IsNullOrEmpty(file))
                throw new InvalidOperationException($"{rule.Path} needs Documents (such as forms/*), Root (a root's name) and SchemaFile (the path of a JSON Schema).");
            try
            {
                collab.AddJsonSchemaRule(documents, root, File.ReadAllText(file));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
            {
                throw new InvalidOperationException($"{rule.Path}:SchemaFile must be the path of a file with a JSON Schema.", exception);
            }
        }

        return collab;
    }
}
