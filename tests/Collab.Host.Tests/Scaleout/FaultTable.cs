using System.Globalization;

namespace Collab.Host.Tests.Scaleout;

/// <summary>What a fault runner has done and seen, one row for each kind of fault.</summary>
internal sealed class FaultTable
{
    private readonly List<Row> _rows = [];

    /// <summary>Adds that a fault happened once more.</summary>
    /// <param name="fault">Which one.</param>
    /// <param name="updates">The updates that were acknowledged from its beginning until all was well.</param>
    /// <param name="messages">The messages that were.</param>
    /// <param name="healed">How long after its end everybody had everything.</param>
    public void Add(string fault, long updates, long messages, TimeSpan healed)
    {
        if (_rows.Find(row => row.Fault == fault) is not { } known)
            _rows.Add(known = new Row(fault));
        known.Times++;
        known.Updates += updates;
        known.Messages += messages;
        known.Worst = healed > known.Worst ? healed : known.Worst;
    }

    public override string ToString() => string.Join('\n', [
        $"{"fault",-60} {"times",5} {"updates",8} {"messages",8} {"healed, worst",13}",
        .. _rows.Select(row => string.Create(
            CultureInfo.InvariantCulture, $"{row.Fault,-60} {row.Times,5} {row.Updates,8} {row.Messages,8} {row.Worst.TotalSeconds,11:0.0} s"))]);

    private sealed class Row(string fault)
    {
        public string Fault { get; } = fault;

        public int Times { get; set; }

        public long Updates { get; set; }

        public long Messages { get; set; }

        public TimeSpan Worst { get; set; }
    }
}
