using System.IO.Pipelines;
using System.Net.Sockets;

namespace Collab.Server.Fanout.Sockets;

/// <summary>
/// A connection whose output goes straight to its socket. Where this is what the server writes to, with nothing before it that changes the bytes (such
/// as TLS), the socket may also be written to past it, as long as nothing else writes: a flush leaves nothing behind.
/// </summary>
/// <param name="inner">The connection as Kestrel made it.</param>
/// <param name="socket">Its socket.</param>
/// <param name="abort">Cuts the connection.</param>
internal sealed class SocketDuplex(IDuplexPipe inner, Socket socket, Action abort) : IDuplexPipe
{
    public PipeReader Input => inner.Input;

    public PipeWriter Output { get; } = new SocketOutput(inner.Output, socket, abort);

    public Socket Socket => socket;
}
