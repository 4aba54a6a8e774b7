using System.Globalization;
using System.Text;

namespace Collab.Host.Moving;

/// <summary>What has become of the documents that were moved.</summary>
/// <param name="would">"would be" when nothing is written, else empty.</param>
internal sealed class MovingSummary(string would)
{
    private const int MaxRefused = 100;

    private readonly Lock _gate = new();
    private readonly OrderedDictionary<string, long> _counts = [];
    private readonly List<(string Name, string Why)> _refused = [];
    private readonly long _begun = TimeProvider.System.GetTimestamp();
    private long _documents;
    private long _bytes;

    /// <summary>Those that could not be moved, and why.</summary>
    public IReadOnlyList<(string Name, string Why)> Refused
    {
        get
        {
            lock (_gate)
                return [.. _refused];
        }
    }

    /// <summary>How far it is.</summary>
    public (long Documents, long Bytes, int Refused) Now
    {
        get
        {
            lock (_gate)
                return (_documents, _bytes, _refused.Count);
        }
    }

    /// <summary>Counts a document.</summary>
    /// <param name="outcome">What has become of it.</param>
    /// <param name="bytes">How large it is.</param>
    public void Count(string outcome, long bytes)
    {
        lock (_gate)
        {
            _counts[outcome] = _counts.GetValueOrDefault(outcome) + 1;
            _documents++;
            _bytes += bytes;
        }
    }

    /// <summary>Counts a document that cannot be moved.</summary>
    public void Refuse(string name, string why)
    {
        lock (_gate)
        {
            _documents++;
            _refused.Add((name, why));
        }
    }

    /// <summary>A sentence, and a line for each that was refused.</summary>
    public override string ToString()
    {
        lock (_gate)
        {
            var text = new StringBuilder();
            string[] outcomes =
            [
                .. _counts.OrderByDescending(one => one.Value).Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Value:N0} {one.Key}")),
                string.Create(CultureInfo.InvariantCulture, $"{_refused.Count:N0} refused"),
            ];
            text.Append(CultureInfo.InvariantCulture, $"{_documents:N0} {(_documents == 1 ? "document" : "documents")}: {(would.Length > 0 ? would + " " : "")}{string.Join(", ", outcomes)}. ");
            text.AppendLine(CultureInfo.InvariantCulture, $"{Megabytes(_bytes)} MB in {TimeProvider.System.GetElapsedTime(_begun).TotalSeconds:0.0} s.");
            if (would.Length > 0)
                text.AppendLine("This was a dry run: nothing was written.");
            foreach (var (name, why) in _refused.Take(MaxRefused))
                text.AppendLine(CultureInfo.InvariantCulture, $"  {Printable(name)}: {why}");
            if (_refused.Count > MaxRefused)
                text.AppendLine(CultureInfo.InvariantCulture, $"  … and {_refused.Count - MaxRefused:N0} more");
            return text.ToString();
        }
    }

    internal static string Megabytes(long bytes) => (bytes / 1_000_000.0).ToString("N1", CultureInfo.InvariantCulture);

    // A name from elsewhere must not move the cursor of a terminal.
    private static string Printable(string name) => string.Concat(name.Take(200).Select(letter => char.IsControl(letter) ? '?' : letter));
}
