using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Collab.Protocol;
using MessagePack;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Collab.Client;

/// <summary>
/// SignalR's MessagePack hub protocol for what the contract says, and nothing else: without reflection, so that it works where no code
/// can be made at run time. Documents' bytes are read straight from the message.
/// </summary>
/// <remarks>Source: HubProtocol.md of ASP.NET Core, "MessagePack (MsgPack) encoding".</remarks>
internal sealed class MessagePackContract : IHubProtocol
{
    private const int Invocation = 1, Completion = 3, Ping = 6, Close = 7;
    private const int ErrorResult = 1, VoidResult = 2, ValueResult = 3;
    // A length is at most five bytes of seven bits.
    private const int MaxLengthBytes = 5;

    /// <inheritdoc/>
    public string Name => "messagepack";

    /// <inheritdoc/>
    public int Version => 2;

    /// <inheritdoc/>
    public TransferFormat TransferFormat => TransferFormat.Binary;

    /// <inheritdoc/>
    public bool IsVersionSupported(int version) => version <= Version;

    /// <inheritdoc/>
    public bool TryParseMessage(ref ReadOnlySequence<byte> input, IInvocationBinder binder, [NotNullWhen(true)] out HubMessage? message)
    {
        message = null;
        var bytes = new SequenceReader<byte>(input);
        if (!TryReadLength(ref bytes, out var length) || bytes.Remaining < length)
            return false;
        var payload = bytes.UnreadSequence.Slice(0, length);
        input = input.Slice(payload.End);
        var reader = new MessagePackReader(payload);
        message = Read(ref reader, binder);
        return true;
    }

    /// <inheritdoc/>
    public void WriteMessage(HubMessage message, IBufferWriter<byte> output) => output.Write(GetMessageBytes(message).Span);

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> GetMessageBytes(HubMessage message)
    {
        var body = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(body);
        Write(ref writer, message);
        writer.Flush();

        var framed = new byte[MaxLengthBytes + body.WrittenCount];
        var at = 0;
        for (var left = (uint)body.WrittenCount; ; left >>= 7)
        {
            framed[at++] = (byte)(left > 0x7f ? left | 0x80 : left);
            if (left <= 0x7f)
                break;
        }
        body.WrittenSpan.CopyTo(framed.AsSpan(at));
        return framed.AsMemory(0, at + body.WrittenCount);
    }

    private static bool TryReadLength(ref SequenceReader<byte> bytes, out long length)
    {
        length = 0;
        for (var i = 0; i < MaxLengthBytes; i++)
        {
            if (!bytes.TryRead(out var next))
                return false;
            length |= (long)(next & 0x7f) << (7 * i);
            if (next < 0x80)
                return length <= int.MaxValue ? true : throw new InvalidDataException("A message of the server is larger than 2 GB.");
        }
        throw new InvalidDataException("The length of a message of the server is not one.");
    }

    private static HubMessage Read(ref MessagePackReader reader, IInvocationBinder binder)
    {
        try
        {
            reader.ReadArrayHeader();
            switch (reader.ReadInt32())
            {
                case Invocation:
                    SkipHeaders(ref reader);
                    return ReadInvocation(ref reader, binder);
                case Completion:
                    SkipHeaders(ref reader);
                    return ReadCompletion(ref reader, binder);
                case Ping:
                    return PingMessage.Instance;
                case Close:
                    var error = reader.ReadString();
                    return new CloseMessage(error, allowReconnect: !reader.End && reader.ReadBoolean());
                default:
                    // A newer server may know more. To SignalR null would mean that the message is not whole yet.
                    return PingMessage.Instance;
            }
        }
        catch (Exception exception) when (exception is not (InvalidDataException or OutOfMemoryException))
        {
            throw new InvalidDataException("A message of the server is not of the contract.", exception);
        }
    }

    private static void SkipHeaders(ref MessagePackReader reader) => reader.Skip();

    private static InvocationMessage ReadInvocation(ref MessagePackReader reader, IInvocationBinder binder)
    {
        var id = reader.ReadString();
        var target = reader.ReadString() ?? throw new InvalidDataException("A call of the server has no name.");
        var types = binder.GetParameterTypes(target);
        var arguments = new object?[types.Count];
        for (int i = 0, count = reader.ReadArrayHeader(); i < count; i++)
        {
            if (i < arguments.Length)
                arguments[i] = ReadValue(ref reader, types[i]);
            else
                reader.Skip();
        }
        return new InvocationMessage(id, target, arguments);
    }

    private static CompletionMessage ReadCompletion(ref MessagePackReader reader, IInvocationBinder binder)
    {
        var id = reader.ReadString() ?? throw new InvalidDataException("An answer of the server belongs to no call.");
        return reader.ReadInt32() switch
        {
            ErrorResult => CompletionMessage.WithError(id, reader.ReadString()),
            VoidResult => CompletionMessage.Empty(id),
            ValueResult => CompletionMessage.WithResult(id, ReadValue(ref reader, binder.GetReturnType(id))),
            var kind => throw new InvalidDataException($"An answer of the server is of kind {kind}, which is none."),
        };
    }

    private static object? ReadValue(ref MessagePackReader reader, Type type)
    {
        if (type == typeof(string))
            return reader.ReadString();
        if (type == typeof(byte[]))
            return reader.ReadBytes() is { } bytes ? bytes.ToArray() : null;
        if (type == typeof(JoinedDocument))
        {
            var parts = ReadDocument(ref reader);
            return new JoinedDocument(parts.Update, parts.StateVector, parts.Position, parts.Access, parts.Awareness);
        }
        if (type == typeof(SyncedDocument))
        {
            var parts = ReadDocument(ref reader);
            return new SyncedDocument(parts.Update, parts.StateVector, parts.Position);
        }
        if (type == typeof(object))
        {
            reader.Skip();
            return null;
        }
        return JsonSerializer.Deserialize(MessagePackJson.Read(ref reader).Span, ContractJson.Default.GetTypeInfo(type)!);
    }

    private static (byte[] Update, byte[] StateVector, string Position, string Access, byte[] Awareness) ReadDocument(ref MessagePackReader reader)
    {
        byte[] update = [], stateVector = [], awareness = [];
        string position = "", access = "";
        for (var count = reader.ReadMapHeader(); count > 0; count--)
        {
            switch (reader.ReadString())
            {
                case "update": update = Bytes(ref reader); break;
                case "stateVector": stateVector = Bytes(ref reader); break;
                case "awareness": awareness = Bytes(ref reader); break;
                case "position": position = reader.ReadString() ?? ""; break;
                case "access": access = reader.ReadString() ?? ""; break;
                default: reader.Skip(); break;
            }
        }
        return (update, stateVector, position, access, awareness);

        static byte[] Bytes(ref MessagePackReader reader) => reader.ReadBytes() is { } bytes ? bytes.ToArray() : [];
    }

    private static void Write(ref MessagePackWriter writer, HubMessage message)
    {
        switch (message)
        {
            case InvocationMessage invocation:
                writer.WriteArrayHeader(6);
                writer.Write(Invocation);
                writer.WriteMapHeader(0);
                writer.Write(invocation.InvocationId);
                writer.Write(invocation.Target);
                writer.WriteArrayHeader(invocation.Arguments.Length);
                foreach (var argument in invocation.Arguments)
                    WriteValue(ref writer, argument);
                writer.WriteArrayHeader(0);
                break;
            case CompletionMessage completion:
                // The server asks nothing that has an answer; should it, it learns so.
                writer.WriteArrayHeader(5);
                writer.Write(Completion);
                writer.WriteMapHeader(0);
                writer.Write(completion.InvocationId);
                writer.Write(ErrorResult);
                writer.Write(completion.Error ?? "This client answers nothing.");
                break;
            case CloseMessage close:
                writer.WriteArrayHeader(3);
                writer.Write(Close);
                writer.Write(close.Error);
                writer.Write(close.AllowReconnect);
                break;
            case PingMessage:
                writer.WriteArrayHeader(1);
                writer.Write(Ping);
                break;
            default:
                throw new NotSupportedException($"{message.GetType().Name} is not of the contract.");
        }
    }

    private static void WriteValue(ref MessagePackWriter writer, object? value)
    {
        switch (value)
        {
            case null:
                writer.WriteNil();
                break;
            case string text:
                writer.Write(text);
                break;
            case byte[] bytes:
                writer.Write(bytes);
                break;
            case JsonElement json:
                MessagePackJson.Write(ref writer, json);
                break;
            default:
                MessagePackJson.Write(ref writer, JsonSerializer.SerializeToElement(value, ContractJson.Default.GetTypeInfo(value.GetType())!));
                break;
        }
    }
}
