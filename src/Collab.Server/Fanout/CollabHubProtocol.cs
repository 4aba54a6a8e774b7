using System.Buffers;
using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using Collab.Protocol;
using Collab.Server.Channels;
using Collab.Server.Fanout.WebSockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Collab.Server.Fanout;

/// <summary>
/// A hub protocol of SignalR with what Collab adds: several messages in one write (<see cref="FrameBatch"/>), messages that begin after
/// an answer (<see cref="IAnswerThenFollow"/>), large states that are not copied (<see cref="SharedAnswer"/>), and optional last arguments of hub methods. On the wire nothing is different.
/// </summary>
internal sealed class CollabHubProtocol(IHubProtocol inner) : IHubProtocol
{
    // Of a message of SignalR's JSON protocol.
    private const byte EndOfMessage = 0x1e;

    // How many arguments must be there; those that are not are null.
    private static readonly FrozenDictionary<string, int> RequiredArguments = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase)
    {
        [nameof(CollabHub.Subscribe)] = 1,
        [nameof(CollabHub.StreamChannel)] = 1,
        [nameof(CollabHub.GetHistory)] = 1,
        [nameof(CollabHub.Publish)] = 3,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    public string Name => inner.Name;

    public int Version => inner.Version;

    public TransferFormat TransferFormat => inner.TransferFormat;

    public bool IsVersionSupported(int version) => inner.IsVersionSupported(version);

    public bool TryParseMessage(
        ref ReadOnlySequence<byte> input, IInvocationBinder binder, [NotNullWhen(true)] out HubMessage? message)
    {
        var start = input;
        bool parsed;
        try
        {
            parsed = inner.TryParseMessage(ref input, binder, out message);
        }
        catch (InvalidDataException) when (DeepInvocation(start) is { } deep)
        {
            input = start.Slice(start.GetPosition(1, start.PositionOf(EndOfMessage)!.Value));
            message = deep;
            return true;
        }

        if (!parsed || message is null)
        {
            // Of a type that is not known, or nothing at all: SignalR takes it for the rest of nothing and waits for ever. It is passed over.
            if (input.Length == start.Length)
                return false;
            message = PingMessage.Instance;
            return true;
        }

        // SignalR's own refusal says what it is: there is no such method.
        if (message is InvocationBindingFailureMessage { BindingFailure.SourceException: not HubException } failure)
        {
            message = (RequiredArguments.TryGetValue(failure.Target, out var required) ? ParseWithFewer(start, binder, failure.Target, required) : null)
                ?? Refusal(failure.InvocationId, failure.Target, $"{ErrorCodes.InvalidArgument}: an argument is missing or of the wrong type");
        }

        return true;
    }

    public void WriteMessage(HubMessage message, IBufferWriter<byte> output)
    {
        switch (message)
        {
            case InvocationMessage { Arguments: [.., FrameBatch batch] }:
                var any = false;
                foreach (var frame in batch.Messages)
                {
                    inner.WriteMessage(frame, output);
                    any = true;
                }

                // Some transports take an empty write for the end.
                if (!any)
                    inner.WriteMessage(PingMessage.Instance, output);
                break;
            case CompletionMessage { Result: IAnswerThenFollow result } completion:
                inner.WriteMessage(CompletionMessage.WithResult(completion.InvocationId!, result.Answer), output);
                if (output is WebSocketOutput socket)
                    socket.AfterFlush(result.Written);
                else
                    result.Written();
                break;
            default:
                if (output is not WebSocketOutput shared || !SharedAnswer.TryWrite(inner, message, shared))
                    inner.WriteMessage(message, output);
                break;
        }
    }

    public ReadOnlyMemory<byte> GetMessageBytes(HubMessage message)
    {
        if (message is not InvocationMessage { Arguments: [.., FrameBatch] })
            return inner.GetMessageBytes(message);
        var output = new ArrayBufferWriter<byte>(4096);
        WriteMessage(message, output);
        return output.WrittenMemory;
    }

    /// <summary>
    /// SignalR's JSON protocol ends a connection over arguments that are nested deeper than 64: this reads who called, so that he is told.
    /// </summary>
    private InvocationBindingFailureMessage? DeepInvocation(ReadOnlySequence<byte> input)
    {
        if (inner.TransferFormat is not TransferFormat.Text || input.PositionOf(EndOfMessage) is not { } end)
            return null;
        try
        {
            using var json = JsonDocument.Parse(input.Slice(0, end), new JsonDocumentOptions { MaxDepth = JsonData.ReaderDepth });
            return json.RootElement.ValueKind is JsonValueKind.Object
                && json.RootElement.TryGetProperty("target", out var target)
                && json.RootElement.TryGetProperty("invocationId", out var id)
                ? Refusal(id.GetString(), target.GetString() ?? "", $"{ErrorCodes.InvalidMessage}: an argument is nested deeper than {JsonData.MaxDepth}")
                : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static InvocationBindingFailureMessage Refusal(string? invocationId, string target, string error) =>
        new(invocationId, target, ExceptionDispatchInfo.Capture(new HubException(error)));

    /// <summary>Reads the same bytes again as if the method had fewer parameters.</summary>
    private HubMessage? ParseWithFewer(ReadOnlySequence<byte> start, IInvocationBinder binder, string target, int required)
    {
        int all;
        try
        {
            all = binder.GetParameterTypes(target).Count;
        }
        catch (HubException)
        {
            return null;
        }

        for (var count = all - 1; count >= required; count--)
        {
            var input = start;
            var fewer = new FewerParameters(binder, count);
            if (!inner.TryParseMessage(ref input, fewer, out var message) || message is InvocationBindingFailureMessage)
                continue;
            return message switch
            {
                StreamInvocationMessage stream => new StreamInvocationMessage(
                    stream.InvocationId!, stream.Target, Padded(stream.Arguments, all), stream.StreamIds)
                { Headers = stream.Headers },
                InvocationMessage invocation => new InvocationMessage(
                    invocation.InvocationId, invocation.Target, Padded(invocation.Arguments, all), invocation.StreamIds)
                { Headers = invocation.Headers },
                _ => null,
            };
        }

        return null;
    }

    private static object?[] Padded(object?[] arguments, int count)
    {
        Array.Resize(ref arguments, count);
        return arguments;
    }

    private sealed class FewerParameters(IInvocationBinder binder, int count) : IInvocationBinder
    {
        public Type GetReturnType(string invocationId) => binder.GetReturnType(invocationId);

        public Type GetStreamItemType(string streamId) => binder.GetStreamItemType(streamId);

        public IReadOnlyList<Type> GetParameterTypes(string methodName) => [.. binder.GetParameterTypes(methodName).Take(count)];

        public string? GetTarget(ReadOnlySpan<byte> utf8Bytes) => binder.GetTarget(utf8Bytes);
    }
}
