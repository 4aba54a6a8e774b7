using System.Text;

namespace Collab.Crdt.Tests.Documents;

/// <summary>Collects what differs in many cases, to tell how many there are and what the first ones are.</summary>
internal sealed class Failures
{
    private const int Shown = 6, Around = 160;

    private readonly List<string> _messages = [];
    private readonly HashSet<string> _cases = [];

    /// <summary>How many comparisons were made.</summary>
    public int Compared { get; private set; }

    /// <summary>True when nothing has differed.</summary>
    public bool IsEmpty => _messages.Count == 0;

    /// <summary>Compares; false when the two differ.</summary>
    public bool Same(string caseId, string what, string expected, string actual)
    {
        Compared++;
        if (expected == actual)
            return true;
        Add(caseId, $"{what}\n      expected {Near(expected, actual)}\n      actual   {Near(actual, expected)}");
        return false;
    }

    /// <summary>Compares bytes; false when the two differ.</summary>
    public bool Same(string caseId, string what, ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual)
    {
        Compared++;
        if (expected.SequenceEqual(actual))
            return true;
        return Same(caseId, what, Convert.ToHexString(expected), Convert.ToHexString(actual));
    }

    /// <summary>Compares bytes with the hash of those expected.</summary>
    public bool SameSha(string caseId, string what, string expectedSha, ReadOnlySpan<byte> actual)
    {
        Compared++;
        var sha = Vectors.Sha(actual);
        if (expectedSha == sha)
            return true;
        Add(caseId, $"{what}: expected sha {expectedSha}, actual {sha} of {Short(Convert.ToHexString(actual))}");
        return false;
    }

    /// <summary>Compares a text with the hash of that expected.</summary>
    public bool SameSha(string caseId, string what, string expectedSha, string actual)
    {
        Compared++;
        if (expectedSha == Vectors.Sha(Encoding.UTF8.GetBytes(actual)))
            return true;
        Add(caseId, $"{what}: expected sha {expectedSha}, actual {Short(actual)}");
        return false;
    }

    /// <summary>Runs a part of a case; an exception is a failure like others.</summary>
    public void Try(string caseId, string what, Action body)
    {
        try
        {
            body();
        }
#pragma warning disable CA1031 // Whatever it is, it is told with the case.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Add(caseId, $"{what}: {exception}");
        }
    }

    public void Add(string caseId, string message)
    {
        _cases.Add(caseId);
        _messages.Add($"{caseId}: {message}");
    }

    /// <summary>Fails the test when something has differed, or nothing was compared.</summary>
    public void AssertNone()
    {
        Assert.True(Compared > 0, "Nothing was compared.");
        Assert.True(IsEmpty, $"{_messages.Count} of {Compared} comparisons differ, in {_cases.Count} cases: {string.Join(' ', _cases.Take(40))}\n{this}");
    }

    /// <summary>The first failures.</summary>
    public override string ToString() => string.Join('\n', _messages.Take(Shown));

    private static string Short(string text) => text.Length <= 4 * Around ? text : $"{text[..(4 * Around)]}… ({text.Length})";

    // The text around the first place where it differs from the other.
    private static string Near(string text, string other)
    {
        var at = text.AsSpan().CommonPrefixLength(other);
        var (from, to) = (Math.Max(0, at - Around), Math.Min(text.Length, at + Around));
        return $"{(from > 0 ? "…" : "")}{text[from..at]}▶{text[at..to]}{(to < text.Length ? "…" : "")}";
    }
}
