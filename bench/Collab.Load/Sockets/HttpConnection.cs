using System.Buffers.Text;
using System.Text;

namespace Collab.Load.Sockets;

/// <summary>
/// An HTTP/1.1 client (RFC 9112) on one kept connection: one request at a time, answers with a length or in chunks, as one whole or as
/// they come.
/// </summary>
internal sealed class HttpConnection(SocketLoop loop, int port, IHttpListener listener) : LoopConnection(loop, port)
{
    private readonly string _host = $"Host: 127.0.0.1:{port}\r\n";
    private byte[] _body = [];
    private int _bodyLength;
    private int _status;
    private long _left; // of the body or the chunk
    private Part _part = Part.Head;

    private enum Part
    {
        Head,
        Body,
        ChunkSize,
        Chunk,
        ChunkEnd,
        LastChunkEnd,
    }

    public void Get(string target, string headers = "") =>
        Write(Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\n{_host}{headers}\r\n"));

    public void Post(string target, ReadOnlySpan<byte> body)
    {
        Write(Encoding.ASCII.GetBytes(
            $"POST {target} HTTP/1.1\r\n{_host}Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {body.Length}\r\n\r\n"));
        Write(body);
    }

    protected override void OnClosed(string reason) => listener.Closed(reason);

    protected override int Take(Span<byte> bytes)
    {
        switch (_part)
        {
            case Part.Head:
                return TakeHead(bytes);
            case Part.Body:
                // The usual answer is here as a whole: no need to copy it.
                if (_bodyLength == 0 && bytes.Length >= _left)
                {
                    var whole = (int)_left;
                    _part = Part.Head;
                    listener.Received(_status, bytes[..whole], isLast: true);
                    return whole;
                }

                var taken = Gather(bytes);
                if (_left == 0)
                    End();
                return taken;
            case Part.ChunkSize:
                var line = bytes.IndexOf("\r\n"u8);
                if (line < 0)
                    return 0;
                if (!Utf8Parser.TryParse(bytes[..line], out _left, out _, 'x'))
                    throw new InvalidDataException("a chunk without a size");
                _part = _left == 0 ? Part.LastChunkEnd : Part.Chunk;
                return line + 2;
            case Part.Chunk:
                var count = Gather(bytes);
                if (_left == 0)
                    _part = Part.ChunkEnd;
                return count;
            case Part.ChunkEnd:
                if (bytes.Length < 2)
                    return 0;
                _part = Part.ChunkSize;
                Keep(listener.Received(_status, _body.AsSpan(0, _bodyLength), isLast: false));
                return 2;
            default:
                if (bytes.Length < 2)
                    return 0;
                End();
                return 2;
        }
    }

    private int TakeHead(Span<byte> bytes)
    {
        var end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            return 0;
        var head = bytes[..(end + 2)];
        if (!Utf8Parser.TryParse(head["HTTP/1.1 ".Length..], out _status, out _))
            throw new InvalidDataException("an answer without a status");
        if (Header(head, "\r\ntransfer-encoding: "u8).StartsWith("chunked"u8))
        {
            _part = Part.ChunkSize;
        }
        else if (Utf8Parser.TryParse(Header(head, "\r\ncontent-length: "u8), out _left, out _) && _left > 0)
        {
            _part = Part.Body;
        }
        else
        {
            listener.Received(_status, [], isLast: true);
        }

        return end + 4;
    }

    private static ReadOnlySpan<byte> Header(ReadOnlySpan<byte> head, ReadOnlySpan<byte> name)
    {
        for (var at = 0; ; at += 2)
        {
            var next = head[at..].IndexOf("\r\n"u8);
            if (next < 0)
                return [];
            at += next;
            if (head.Length - at > name.Length && Ascii.EqualsIgnoreCase(head.Slice(at, name.Length), name))
                return head[(at + name.Length)..];
        }
    }

    private int Gather(ReadOnlySpan<byte> bytes)
    {
        var count = (int)Math.Min(bytes.Length, _left);
        if (_body.Length - _bodyLength < count)
            Array.Resize(ref _body, Math.Max(_bodyLength + count, 2 * _body.Length));
        bytes[..count].CopyTo(_body.AsSpan(_bodyLength));
        _bodyLength += count;
        _left -= count;
        return count;
    }

    private void End()
    {
        _part = Part.Head;
        var length = _bodyLength;
        _bodyLength = 0;
        listener.Received(_status, _body.AsSpan(0, length), isLast: true);
    }

    private void Keep(int used)
    {
        _bodyLength -= used;
        if (used > 0 && _bodyLength > 0)
            _body.AsSpan(used, _bodyLength).CopyTo(_body);
    }
}

/// <summary>Is told, on the loop's thread, what is answered.</summary>
internal interface IHttpListener
{
    /// <summary>A part of the answer's body arrived, after what was not used before. The bytes are valid during the call.</summary>
    /// <returns>How many bytes are done with; what is left comes again with the next part. After the last part it does not matter.</returns>
    int Received(int status, ReadOnlySpan<byte> body, bool isLast);

    /// <summary>The connection ended, not by us.</summary>
    void Closed(string reason);
}
