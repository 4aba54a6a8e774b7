using System.Buffers.Text;
using Collab.Load.Sockets;
using Collab.Load.Statistics;

namespace Collab.Load.Channels;

/// <summary>
/// What the readers of one channel have received. All must get the same messages in the same order: the first who gets the n-th message
/// says which one it is, and every other's n-th message is compared with it.
/// </summary>
/// <param name="dueAt">When a message was due, by its number.</param>
internal sealed class Arrivals(Func<int, long> dueAt)
{
    private const int Digits = 8;

    private readonly List<int> _order = [];

    /// <summary>What arrives from here on counts, until <see cref="To"/>.</summary>
    public long From { get; set; } = long.MaxValue;

    public long To { get; set; } = long.MaxValue;

    public Histogram Times { get; } = new();

    /// <summary>Messages that arrived, over all readers.</summary>
    public long Count { get; private set; }

    public long CountInWindow { get; private set; }

    /// <summary>Reads, answers or frames that brought messages.</summary>
    public long FramesInWindow { get; private set; }

    /// <summary>Messages that came to a reader in another order than to the others, or twice.</summary>
    public long Disordered { get; private set; }

    /// <summary>How many different messages arrived anywhere.</summary>
    public int Distinct => _order.Distinct().Count();

    /// <summary>Whatever a transport wraps around a message, its number follows these bytes; nothing else contains them.</summary>
    private static ReadOnlySpan<byte> Mark => "~m"u8;

    /// <summary>A message's data: its number and as much text as a line of a chat has.</summary>
    public static string TextOf(int number) => $"~m{number:00000000} a line of a chat that somebody has typed";

    /// <summary>Counts the messages in a piece of what a reader received.</summary>
    /// <param name="bytes">The piece; it cuts no message in two.</param>
    /// <param name="cursor">How many messages the reader has had.</param>
    public void Scan(ReadOnlySpan<byte> bytes, ref int cursor)
    {
        var at = bytes.IndexOf(Mark);
        if (at < 0)
            return;
        var now = SocketLoop.Now;
        var counts = now >= From && now < To;
        if (counts)
            FramesInWindow++;
        for (; at >= 0; at = bytes.IndexOf(Mark))
        {
            bytes = bytes[(at + Mark.Length)..];
            if (!Utf8Parser.TryParse(bytes[..Digits], out int number, out _))
                throw new InvalidDataException("a message without a number");
            if (cursor == _order.Count)
                _order.Add(number);
            else if (_order[cursor] != number)
                Disordered++;
            cursor++;
            Count++;
            if (counts)
                CountInWindow++;
            if (dueAt(number) is var due && due >= From && due < To)
                Times.Add(now - due);
        }
    }
}
