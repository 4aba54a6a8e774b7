using Collab.Load.Protocols;

namespace Collab.Load.Updates;

/// <summary>
/// Makes Yjs updates (format v1) without a Yjs document: each writer has a client id of its own and appends to what he wrote before,
/// as somebody does who types. All clocks of one writer are dense, so whoever reads them back can tell what is missing.
/// </summary>
internal static class UpdateWriter
{
    /// <summary>How many characters, and so clocks, one update inserts: 28 bytes once the clocks take two bytes, as they soon do.</summary>
    public const int CharactersPerUpdate = 9;

    private const int StringContent = 4;
    private const int HasOrigin = 0x80;

    private static readonly ByteWriter Scratch = new();

    /// <summary>
    /// The client id of a writer. Large enough for five bytes, as nearly all of Yjs' random ids are.
    /// </summary>
    public static uint ClientOf(int writer) => 0x9000_0000 + (uint)writer;

    /// <summary>The writer's update number <paramref name="index"/>, from 0 on. Valid until the next call.</summary>
    public static ReadOnlySpan<byte> Write(int writer, int index)
    {
        var client = ClientOf(writer);
        var clock = (ulong)index * CharactersPerUpdate;
        Scratch.Clear().Byte(1).Byte(1).VarUint(client).VarUint(clock);
        if (index == 0)
            WriteFirst("some text"u8);
        else
            WriteNext(client, clock - 1, "more text"u8);
        return Scratch.Byte(0).Written; // an empty delete set
    }

    /// <summary>
    /// A document of many authors in turn, so that no two items can be joined: what a long-lived text costs to send. It comes in
    /// pieces of about 16 KB, to be sent in order.
    /// </summary>
    /// <param name="bytes">How large the whole is as one update, about.</param>
    /// <param name="characters">How many clocks all pieces have together.</param>
    public static List<byte[]> WriteDocument(int bytes, out long characters)
    {
        const int Authors = 50;
        const int BytesPerItem = 18;
        const int ItemsPerAuthorAndPiece = 18;
        var items = bytes / BytesPerItem;
        var pieces = new List<byte[]>();
        var piece = Authors * ItemsPerAuthorAndPiece;
        for (var start = 0; start < items; start += piece)
        {
            Scratch.Clear().VarUint(Authors);
            for (var author = Authors - 1; author >= 0; author--) // descending, as yjs writes and its merge expects
            {
                Scratch.VarUint(ItemsPerAuthorAndPiece).VarUint(ClientOf(author)).VarUint(ClockOf(start + author));
                for (var item = start + author; item < start + piece; item += Authors)
                {
                    if (item == 0)
                        WriteFirst("some text"u8);
                    else
                        WriteNext(ClientOf((item - 1) % Authors), ClockOf(item - 1) + CharactersPerUpdate - 1, "more text"u8);
                }
            }

            pieces.Add(Scratch.Byte(0).Written.ToArray());
        }

        characters = (long)pieces.Count * piece * CharactersPerUpdate;
        return pieces;

        static ulong ClockOf(int item) => (ulong)(item / Authors) * CharactersPerUpdate;
    }

    private static void WriteFirst(ReadOnlySpan<byte> text) =>
        Scratch.Byte(StringContent).Byte(1).VarString("text").VarBytes(text);

    private static void WriteNext(uint originClient, ulong originClock, ReadOnlySpan<byte> text) =>
        Scratch.Byte(StringContent | HasOrigin).VarUint(originClient).VarUint(originClock).VarBytes(text);
}
