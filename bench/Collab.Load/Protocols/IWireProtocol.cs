namespace Collab.Load.Protocols;

/// <summary>One client's side of a server's wire format, for one document on one connection.</summary>
internal interface IWireProtocol
{
    /// <summary>Path and query of the WebSocket.</summary>
    string Path { get; }

    /// <summary>The WebSocket is open: says hello, and calls <see cref="IWireMember.Ready"/> when the server lets it join.</summary>
    void Opened();

    /// <summary>Asks for the document; <see cref="IWireMember.Joined"/> follows.</summary>
    void Join();

    /// <summary>Reads one message and tells the member what it says.</summary>
    void Received(ReadOnlySpan<byte> message);

    /// <summary>Sends an update. <paramref name="index"/> comes back in <see cref="IWireMember.Acknowledged"/>, where the format has that.</summary>
    void Push(int index, ReadOnlySpan<byte> update);

    /// <summary>Sends what a real client of this format sends every 15 seconds when nothing happens.</summary>
    void KeepAlive();
}

/// <summary>What a protocol tells the member that it speaks for.</summary>
internal interface IWireMember
{
    void Send(ReadOnlySpan<byte> message);

    void Ready();

    /// <summary>The document arrived, as a Yjs update of all that is in it.</summary>
    void Joined(ReadOnlySpan<byte> state);

    void Updated(ReadOnlySpan<byte> update);

    void Acknowledged(int index);

    void Refused(string reason);
}

/// <summary>y-protocols' sync messages and what an empty replica says in them.</summary>
internal static class SyncMessage
{
    public const int SyncStep1 = 0;
    public const int SyncStep2 = 1;
    public const int Update = 2;

    public static ReadOnlySpan<byte> EmptyStateVector => [0];

    public static ReadOnlySpan<byte> EmptyUpdate => [0, 0];
}
