using System.Text.Json;
using Collab.Crdt;
using Collab.Server.Documents.Data;
using Collab.Server.Documents.RichText;

namespace Collab.Server.Documents.Versions;

/// <summary>What has changed between two versions.</summary>
/// <param name="Places">The places of the JSON view that differ, texts left out.</param>
/// <param name="Texts">Each text and rich text that differs, by its root, as runs from the start to the end.</param>
internal sealed record VersionChanges(IReadOnlyList<ChangedPlace> Places, IReadOnlyDictionary<string, IReadOnlyList<ChangedRun>> Texts)
{
    public static VersionChanges Of(VersionComparison versions)
    {
        var texts = new Dictionary<string, IReadOnlyList<ChangedRun>>(StringComparer.Ordinal);
        var reader = new RichTextReader(new RichTextComparison(versions));
        foreach (var name in versions.Doc.RootNames)
        {
            var blocks = KindOf(versions.Doc, name) switch
            {
                RootKind.Text => reader.Read(versions.Doc.GetText(name)),
                RootKind.Xml => reader.Read(versions.Doc.GetXmlFragment(name)),
                _ => null,
            };
            if (blocks is null)
                continue;
            var runs = Runs(blocks);
            if (runs.Any(run => run.Change is not null))
                texts.Add(name, runs);
        }
        var places = JsonDifference.Between(JsonElement.Parse(versions.JsonBefore), JsonElement.Parse(ManagedEngine.ToJson(versions.Doc)))
            .Where(place => KindOf(versions.Doc, place.Path.Split('/')[1].Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)) is not (RootKind.Text or RootKind.Xml))
            .Select(place => new ChangedPlace(place.Path, place.Value));
        return new VersionChanges([.. places], texts);
    }

    // A text from which all was deleted still holds it here.
    private static RootKind KindOf(Doc doc, string name) => !doc.RootNames.Contains(name) ? RootKind.Empty
        : doc.LooksLike(name) is not RootKind.Empty and var kind ? kind
        : doc.GetText(name).Length == 0 ? RootKind.Text : RootKind.Empty;

    private static List<ChangedRun> Runs(IEnumerable<RichBlock> blocks)
    {
        var runs = new List<ChangedRun>();
        Collect(blocks, null);
        return runs;

        void Collect(IEnumerable<RichBlock> inner, RichChange? outer)
        {
            foreach (var block in inner)
            {
                var change = block.Change ?? outer;
                foreach (var run in block.Runs)
                    Add(run.Text, run.Change ?? change);
                Collect(block.Blocks, change);
                if (block.Blocks.Count == 0)
                    Add("\n", change);
            }
        }

        void Add(string text, RichChange? change)
        {
            var kind = change is null ? null : change.IsAdded ? "added" : "removed";
            if (runs.Count > 0 && runs[^1].Change == kind && runs[^1].Author == change?.Author)
                runs[^1] = runs[^1] with { Text = runs[^1].Text + text };
            else if (text.Length > 0)
                runs.Add(new ChangedRun(text, kind, change?.Author));
        }
    }
}

/// <summary>A place of the JSON view that differs.</summary>
/// <param name="Path">The place, as a JSON Pointer.</param>
/// <param name="Value">What is there in the later version; null when nothing is.</param>
internal sealed record ChangedPlace(string Path, JsonElement? Value);

/// <summary>A piece of text.</summary>
/// <param name="Text">The text; blocks end with a line feed.</param>
/// <param name="Change"><c>added</c>, <c>removed</c>, or null for what is in both versions.</param>
/// <param name="Author">The id of who wrote it, of what differs; null when nobody knows.</param>
internal sealed record ChangedRun(string Text, string? Change, string? Author);
