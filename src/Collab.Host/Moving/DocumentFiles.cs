using System.Globalization;

namespace Collab.Host.Moving;

/// <summary>
/// How files are named after documents: the parts of an id between slashes are folders and a file, each escaped as in a URL, dots too, so that no id
/// leads out of the folder or looks like another. A number before the extension is one update of several: <c>notes/one.1.bin</c>, <c>notes/one.2.bin</c>.
/// </summary>
internal static class DocumentFiles
{
    /// <summary>What the files of updates end with.</summary>
    public const string UpdateExtension = ".bin";

    /// <summary>The path of a document's file in the folder.</summary>
    public static string PathOf(string id, string extension) =>
        Path.Combine([.. id.Split('/').Select(part => Uri.EscapeDataString(part).Replace(".", "%2E", StringComparison.Ordinal))]) + extension;

    /// <summary>The document that a file is of, and which of its updates.</summary>
    public static (string Name, long Part) Read(string path)
    {
        var name = path.Replace(Path.DirectorySeparatorChar, '/')[..^UpdateExtension.Length];
        var dot = name.LastIndexOf('.');
        return dot > name.LastIndexOf('/') + 1 && long.TryParse(name.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var part)
            ? (Uri.UnescapeDataString(name[..dot]), part)
            : (Uri.UnescapeDataString(name), 0);
    }
}
