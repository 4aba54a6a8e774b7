namespace Collab.Crdt;

/// <summary>What one client says about itself: its cursor, its name, whatever the application puts there.</summary>
/// <param name="ClientId">The client's id, as in its document.</param>
/// <param name="Clock">Counts the client's states; the higher one is the newer.</param>
/// <param name="Json">The state as JSON in UTF-8; the text <c>null</c> when the client has gone.</param>
public readonly record struct AwarenessState(ulong ClientId, ulong Clock, ReadOnlyMemory<byte> Json)
{
    /// <summary>True when the client has gone, or has no state.</summary>
    public bool IsNull => Json.Span.Trim(" \t\r\n"u8).SequenceEqual("null"u8);
}
