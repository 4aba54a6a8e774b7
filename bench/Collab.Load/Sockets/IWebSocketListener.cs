namespace Collab.Load.Sockets;

/// <summary>Is told, on the loop's thread, what happens to a connection.</summary>
internal interface IWebSocketListener
{
    /// <summary>The server has accepted the upgrade.</summary>
    void Opened();

    /// <summary>A whole message arrived. The bytes are valid during the call.</summary>
    void Received(ReadOnlySpan<byte> message);

    /// <summary>The connection ended, not by us.</summary>
    void Closed(string reason);
}
