using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Collab.Server.Fanout.WebSockets;

/// <summary>
/// A hub protocol whose messages are whole frames of a WebSocket. It is only written: as a protocol, so that a
/// message that goes to many is framed once.
/// </summary>
internal sealed class FramedProtocol : IHubProtocol
{
    private static readonly ConditionalWeakTable<IHubProtocol, FramedProtocol> All = [];

    private readonly IHubProtocol _inner;

    private FramedProtocol(IHubProtocol inner)
    {
        _inner = inner;
        Name = $"{inner.Name}, framed";
    }

    public string Name { get; }

    public int Version => _inner.Version;

    public TransferFormat TransferFormat => _inner.TransferFormat;

    public static FramedProtocol Of(IHubProtocol protocol) => All.GetValue(protocol, static inner => new FramedProtocol(inner));

    public ReadOnlyMemory<byte> GetMessageBytes(HubMessage message)
    {
        var payload = _inner.GetMessageBytes(message);
        var buffer = new byte[WebSocketFrame.MaxHeader + payload.Length];
        payload.CopyTo(buffer.AsMemory(WebSocketFrame.MaxHeader));
        return WebSocketFrame.Enclose(buffer, payload.Length, TransferFormat is TransferFormat.Binary);
    }

    public void WriteMessage(HubMessage message, IBufferWriter<byte> output) => output.Write(GetMessageBytes(message).Span);

    public bool IsVersionSupported(int version) => _inner.IsVersionSupported(version);

    public bool TryParseMessage(
        ref ReadOnlySequence<byte> input, IInvocationBinder binder, [NotNullWhen(true)] out HubMessage? message) =>
        throw new NotSupportedException("Frames are only written.");
}
