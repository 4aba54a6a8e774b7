using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Collab.Redis;

/// <summary>
/// What nodes say to each other, as a hub protocol: the length of the group's name in bytes (16 bits, little-endian), the name in UTF-8,
/// and the message. It is the only protocol that the backplane writes, so that each message is in Redis once.
/// </summary>
internal sealed class NodeProtocol : IHubProtocol, IHubProtocolResolver
{
    public string Name => "collab-node";

    public int Version => 1;

    public TransferFormat TransferFormat => TransferFormat.Binary;

    IReadOnlyList<IHubProtocol> IHubProtocolResolver.AllProtocols => [this];

    /// <summary>A message to a group, for the lifetime manager.</summary>
    public static object?[] Arguments(ReadOnlyMemory<byte> message) => [message];

    /// <summary>Takes apart what <see cref="GetMessageBytes"/> has written.</summary>
    public static (string Group, ReadOnlyMemory<byte> Message) Read(ReadOnlyMemory<byte> bytes)
    {
        var length = BinaryPrimitives.ReadUInt16LittleEndian(bytes.Span);
        return (Encoding.UTF8.GetString(bytes.Span.Slice(sizeof(ushort), length)), bytes[(sizeof(ushort) + length)..]);
    }

    public ReadOnlyMemory<byte> GetMessageBytes(HubMessage message)
    {
        if (message is not InvocationMessage { Target: var group, Arguments: [ReadOnlyMemory<byte> body] })
            throw new NotSupportedException("Nodes say nothing else to each other.");
        var length = Encoding.UTF8.GetByteCount(group);
        var bytes = new byte[sizeof(ushort) + length + body.Length];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, checked((ushort)length));
        Encoding.UTF8.GetBytes(group, bytes.AsSpan(sizeof(ushort)));
        body.Span.CopyTo(bytes.AsSpan(sizeof(ushort) + length));
        return bytes;
    }

    public void WriteMessage(HubMessage message, IBufferWriter<byte> output) => output.Write(GetMessageBytes(message).Span);

    public bool IsVersionSupported(int version) => version == Version;

    public bool TryParseMessage(ref ReadOnlySequence<byte> input, IInvocationBinder binder, [NotNullWhen(true)] out HubMessage? message) =>
        throw new NotSupportedException("Nothing comes from a client in this protocol.");

    IHubProtocol? IHubProtocolResolver.GetProtocol(string protocolName, IReadOnlyList<string>? supportedProtocols) =>
        protocolName == Name ? this : null;
}
