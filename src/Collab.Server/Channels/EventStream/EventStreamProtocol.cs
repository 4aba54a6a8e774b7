using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using Collab.Protocol;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Collab.Server.Channels.EventStream;

/// <summary>
/// The format of a browser's EventSource (HTML Living Standard, 9.2 Server-sent events) as a hub protocol that only writes: so streams
/// are connections like others, and a batch is written once for all of them. Each message is an event with its name, its position as
/// <c>id:</c>, and the message as JSON; all else that a hub connection would get has no bytes here.
/// </summary>
internal sealed class EventStreamProtocol : IHubProtocol
{
    /// <summary>The event that tells of lost messages; its data is <c>{ "position": … }</c>.</summary>
    public const string GapEvent = NewMessage.ReservedPrefix + "gap";

    public string Name => "event_source";

    public int Version => 1;

    public TransferFormat TransferFormat => TransferFormat.Text;

    public bool IsVersionSupported(int version) => version == Version;

    public bool TryParseMessage(
        ref ReadOnlySequence<byte> input, IInvocationBinder binder, [NotNullWhen(true)] out HubMessage? message) =>
        throw new NotSupportedException("An event stream is only ever written.");

    public void WriteMessage(HubMessage message, IBufferWriter<byte> output)
    {
        if (message is not InvocationMessage { Arguments: [.., ChannelBatch batch] })
            return;
        if (batch.IsGap)
            WriteGap(output, batch.Gap);
        for (var i = 0; i < batch.Stored.Count; i++)
        {
            var stored = batch.Stored[i];
            WriteId(output, stored.Message.Position);
            WriteEvent(output, stored, channel: null);
        }

        if (batch.AdvancesFurther)
        {
            WriteId(output, batch.Position.ToString());
            output.Write("\n"u8);
        }
    }

    public ReadOnlyMemory<byte> GetMessageBytes(HubMessage message)
    {
        var output = new ArrayBufferWriter<byte>();
        WriteMessage(message, output);
        return output.WrittenMemory;
    }

    /// <summary>What an EventSource gives as <c>Last-Event-ID</c> from here on. By itself it is no event.</summary>
    public static void WriteId(IBufferWriter<byte> output, string id)
    {
        output.Write("id: "u8);
        Write(output, id);
        output.Write("\n"u8);
    }

    /// <summary>A message, after its id.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="stored">The message.</param>
    /// <param name="channel">What the reader calls the channel, to be told with it; null when the stream is of one channel.</param>
    public static void WriteEvent(IBufferWriter<byte> output, StoredMessage stored, string? channel)
    {
        output.Write("event: "u8);
        Write(output, stored.Message.Event);
        if (channel is null)
        {
            output.Write("\ndata: "u8);
            output.Write(stored.Json);
        }
        else
        {
            output.Write("\ndata: {\"channel\":\""u8);
            output.Write(JsonEncodedText.Encode(channel).EncodedUtf8Bytes);
            output.Write("\","u8);
            output.Write(stored.Json.AsSpan(1));
        }

        output.Write("\n\n"u8);
    }

    /// <summary>Says that messages are lost for this reader.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="position">What the next messages follow.</param>
    /// <param name="channel">What the reader calls the channel, to be told with it; null when the stream is of one channel.</param>
    public static void WriteGap(IBufferWriter<byte> output, Position position, string? channel = null)
    {
        output.Write("event: "u8);
        Write(output, GapEvent);
        Write(output, channel is null ? "\ndata: {" : $"\ndata: {{\"channel\":\"{JsonEncodedText.Encode(channel)}\",");
        Write(output, $"\"position\":\"{position}\"}}\n\n");
    }

    private static void Write(IBufferWriter<byte> output, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text, output.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length)));
        output.Advance(bytes);
    }
}
