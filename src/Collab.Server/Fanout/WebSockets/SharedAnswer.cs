using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Text;
using Collab.Protocol;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Collab.Server.Fanout.WebSockets;

/// <summary>
/// Answers that hold a large document's state, written without a copy of it: all who join at once are sent the same bytes. The message is
/// written with a placeholder in the state's place, around which it is then cut.
/// </summary>
internal static class SharedAnswer
{
    /// <summary>States that are smaller, in bytes, are not worth it. MessagePack writes what is larger than 64 KB with one kind of header.</summary>
    private const int LeastBytes = ushort.MaxValue + 1;

    private const byte MessagePackBinary8 = 0xc4;
    private const byte MessagePackBinary32 = 0xc6;
    private const int MessagePackBinary8Header = 2;
    private const int MessagePackBinary32Header = 5;

    // Nobody outside knows it, and as base64 it is only letters and digits.
    private static readonly string PlaceholderText = Guid.NewGuid().ToString("N");
    private static readonly byte[] Placeholder = Convert.FromBase64String(PlaceholderText);
    private static readonly byte[] PlaceholderBase64 = Encoding.ASCII.GetBytes(PlaceholderText);

    // Of a state, the same as base64, as long as somebody has the state.
    private static readonly ConditionalWeakTable<byte[], byte[]> States = [];

    /// <returns>False when it is none, and nothing was written.</returns>
    public static bool TryWrite(IHubProtocol protocol, HubMessage message, WebSocketOutput output)
    {
        if (output.Stream is null || message is not CompletionMessage { Result: { } result } completion)
            return false;
        var (state, around) = result switch
        {
            JoinedDocument joined => (joined.Update, (object)(joined with { Update = Placeholder })),
            SyncedDocument synced => (synced.Update, synced with { Update = Placeholder }),
            _ => ([], result),
        };
        if (state.Length < LeastBytes)
            return false;

        var bytes = protocol.GetMessageBytes(CompletionMessage.WithResult(completion.InvocationId!, around)).Span;
        if (protocol.TransferFormat is TransferFormat.Binary)
            WriteMessagePack(bytes, state, output);
        else
            WriteJson(bytes, States.GetValue(state, ToBase64), output);
        return true;
    }

    private static void WriteMessagePack(ReadOnlySpan<byte> message, byte[] state, WebSocketOutput output)
    {
        // SignalR puts the length before a message, seven bits a byte.
        var body = message[(message.IndexOfAnyInRange((byte)0, (byte)0x7f) + 1)..];
        var at = body.IndexOf(Placeholder);
        var before = body[..(at - MessagePackBinary8Header)];
        var after = body[(at + Placeholder.Length)..];
        if (body[before.Length] != MessagePackBinary8)
            throw new InvalidOperationException("The state is not written as bytes.");

        var length = (uint)(before.Length + MessagePackBinary32Header + state.Length + after.Length);
        for (; length > 0x7f; length >>= 7)
            output.Write([(byte)(length | 0x80)]);
        output.Write([(byte)length]);
        output.Write(before);
        Span<byte> header = stackalloc byte[MessagePackBinary32Header];
        header[0] = MessagePackBinary32;
        BinaryPrimitives.WriteInt32BigEndian(header[1..], state.Length);
        output.Write(header);
        output.WriteShared(state);
        output.Write(after);
    }

    private static void WriteJson(ReadOnlySpan<byte> message, byte[] base64, WebSocketOutput output)
    {
        var at = message.IndexOf(PlaceholderBase64);
        output.Write(message[..at]);
        output.WriteShared(base64);
        output.Write(message[(at + PlaceholderBase64.Length)..]);
    }

    private static byte[] ToBase64(byte[] state)
    {
        var text = new byte[Base64.GetMaxEncodedToUtf8Length(state.Length)];
        Base64.EncodeToUtf8(state, text, out _, out _);
        return text;
    }
}
