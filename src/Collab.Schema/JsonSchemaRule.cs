using System.IO.Enumeration;
using System.Text.Json;
using Collab.Server.Documents;
using Json.Schema;

namespace Collab.Schema;

/// <summary>Lets only edits through that leave a root's JSON view valid by a JSON Schema. Its code is <c>schema</c>.</summary>
/// <param name="documents">For which documents; <c>*</c> stands for any run of characters.</param>
/// <param name="root">The root.</param>
/// <param name="schema">The schema.</param>
internal sealed class JsonSchemaRule(string documents, string root, Json.Schema.JsonSchema schema) : IDocumentRule
{
    public bool AppliesTo(string documentId) => FileSystemName.MatchesSimpleExpression(documents, documentId, ignoreCase: false);

    public ValueTask<RuleVerdict> JudgeAsync(ProposedEdit edit, CancellationToken cancellationToken)
    {
        if (!edit.After.RootNames.Contains(root))
            return ValueTask.FromResult(RuleVerdict.Accepted);
        var result = schema.Evaluate(JsonElement.Parse(edit.After.RootToJson(root).ToString()), new EvaluationOptions { OutputFormat = OutputFormat.List });
        if (result.IsValid)
            return ValueTask.FromResult(RuleVerdict.Accepted);
        // Where, but not what: the content is not for logs.
        var where = (result.Details ?? []).Where(detail => !detail.IsValid && detail.Errors is { Count: > 0 })
            .Select(detail => $"/{root}{detail.InstanceLocation} ({detail.EvaluationPath})").FirstOrDefault() ?? $"/{root}";
        return ValueTask.FromResult(RuleVerdict.Rejected("schema", $"the document would not be valid at {where}"));
    }
}
