using Collab.Crdt.Tests.Documents;

namespace Collab.Crdt.Tests.Oracle;

/// <summary>The oracle plays the steps of the vectors as they were played when the vectors were made, so it can be believed.</summary>
public sealed class VectorOracleTests(YjsOracle yjs) : IClassFixture<YjsOracle>
{
    [Fact]
    public async Task The_oracle_emits_the_updates_of_the_vectors_and_ends_with_their_content()
    {
        var failures = new Failures();
        foreach (var document in Vectors.Documents)
        {
            var (updates, dumps) = await yjs.PlayAsync(document.Json, Documents.Replicas.UndoOf(document));
            var expected = document.Json.Items("steps").Select(step => step.Numbers("u").Select(update => Text(document, update)));
            foreach (var (step, (wanted, emitted)) in expected.Zip(updates).Index())
                failures.Same(document.Id, $"step {step}", string.Join(' ', wanted), string.Join(' ', emitted));
            foreach (var (client, dump) in dumps.Index())
                failures.SameSha(document.Id, $"replica {client}", document.Json.Items("clientDumpSha").ElementAt(client).GetString()!, dump);
        }
        failures.AssertNone();
    }

    private static string Text(DocumentCase document, int update) => Convert.ToBase64String(document.Updates[update].Span);
}
