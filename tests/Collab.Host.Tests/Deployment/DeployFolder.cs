using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Collab.Host.Tests.Deployment;

/// <summary>The folder <c>deploy</c>.</summary>
internal static partial class DeployFolder
{
    public static string Path { get; } = System.IO.Path.GetFullPath(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Here())!, "../../../deploy"));

    /// <summary>What the settings' documentation says that there is.</summary>
    private static readonly string Settings = File.ReadAllText(System.IO.Path.Combine(Path, "../docs/settings.md"));

    /// <summary>That a variable of the environment is one which the server reads: a misspelt one would do nothing.</summary>
    public static void AssertIsSetting(string variable)
    {
        var key = variable.Replace("__", ":", StringComparison.Ordinal);
        // The settings of a section stand under its heading, or in full.
        var section = Section().Match(key);
        var known = Settings.Contains($"`{key}`", StringComparison.Ordinal)
            || (section.Success && Settings.Contains($"`{section.Groups[1]}`", StringComparison.Ordinal)
                && Settings.Contains($"`{section.Groups[2]}`", StringComparison.Ordinal));
        Assert.True(known, $"{key} is not in docs/settings.md");
    }

    private static string Here([CallerFilePath] string here = "") => here;

    [GeneratedRegex("^((?:Collab:[A-Za-z]+|Authentication:Schemes:Bearer)):(.+)$")]
    private static partial Regex Section();
}
