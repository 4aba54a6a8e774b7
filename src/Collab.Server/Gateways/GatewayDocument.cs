using Collab.Crdt;
using Collab.Protocol;
using Collab.Server.Documents;
using Collab.Server.Limits;

namespace Collab.Server.Gateways;

/// <summary>
/// One document for a client that speaks a Yjs protocol: sync and awareness of y-protocols on the one side, the document service on the
/// other. Updates go on to the service in the order in which they came; who sends faster than they can be stored is not read for a while.
/// </summary>
/// <param name="documents">The document service.</param>
/// <param name="requests">How much may be asked.</param>
/// <param name="caller">The client.</param>
/// <param name="id">The document.</param>
/// <param name="socket">Where the client is.</param>
/// <param name="address">What stands before each message about the document.</param>
internal abstract class GatewayDocument(
    DocumentService documents, RequestRate requests, Caller caller, string id, GatewaySocket socket, byte[] address)
{
    // Of updates that are not durable yet.
    private const int MaxBytesUnderWay = 1024 * 1024;
    private const int BytesOfEach = 64;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private TaskCompletionSource? _drained;
    private int _bytesUnderWay;

    protected GatewaySocket Socket => socket;

    protected DocumentService Documents => documents;

    protected string Id => id;

    protected ReadOnlySpan<byte> Address => address;

    /// <summary>A frame that says nothing, for a client that closes a connection over which nothing comes.</summary>
    public ReadOnlyMemory<byte> Silence => GatewaySocket.FrameOf(GatewayMessage.AwarenessHead(address, 1), [0]);

    /// <summary>Lets the client in. What is sent to the document from here on reaches him.</summary>
    public Task<JoinedDocument> JoinAsync() => documents.JoinAsync(caller, id, StateVector.Empty.ToArray(), socket.Ended, echoes: true);

    /// <summary>Takes in a sync message.</summary>
    public ValueTask TakeSyncAsync(SyncMessageKind kind, byte[] payload) =>
        kind is SyncMessageKind.SyncStep1 ? AnswerAsync(payload) : PushAsync(payload);

    /// <summary>Takes in states of awareness.</summary>
    public ValueTask TakeAwarenessAsync(byte[] update) => PatientlyAsync(() => documents.PushAwarenessAsync(caller, id, update));

    /// <summary>Tells the client who is present.</summary>
    public ValueTask SendPresentAsync()
    {
        var present = documents.Present(caller, id);
        return socket.SendAsync(GatewayMessage.AwarenessHead(address, present.Length), present);
    }

    /// <summary>Waits until all updates that were taken in are durable.</summary>
    public async ValueTask DrainAsync()
    {
        var drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _drained, drained);
        if (Volatile.Read(ref _bytesUnderWay) > 0)
            await drained.Task.WaitAsync(socket.Ended);
    }

    /// <summary>Tells the client what the server has.</summary>
    protected ValueTask SendStateVectorAsync(byte[] stateVector) =>
        socket.SendAsync(GatewayMessage.SyncHead(address, SyncMessageKind.SyncStep1, stateVector.Length), stateVector);

    /// <summary>Answers what the client lacks.</summary>
    protected virtual ValueTask AnswerAsync(SyncedDocument document) =>
        socket.SendAsync(GatewayMessage.SyncHead(address, SyncMessageKind.SyncStep2, document.Update.Length), document.Update);

    /// <summary>An update is durable, or was there already.</summary>
    protected virtual void Acknowledge()
    {
    }

    /// <summary>An update was not taken in, as the client may only read.</summary>
    protected abstract void Deny();

    /// <summary>Something the client did cannot be answered: the document is over for him.</summary>
    public abstract Task FailAsync(CollabException exception);

    private ValueTask AnswerAsync(byte[] stateVector) => PatientlyAsync(async () =>
    {
        requests.Count(caller);
        await AnswerAsync(await documents.SyncAsync(caller, id, stateVector, socket.Ended));
    });

    private ValueTask PushAsync(byte[] update) => PatientlyAsync(() =>
    {
        Interlocked.Add(ref _bytesUnderWay, update.Length + BytesOfEach);
        var push = TryPushAsync(update);
        if (push.IsFaulted)
            return push;
        _ = ObserveAsync(push);
        return Volatile.Read(ref _bytesUnderWay) > MaxBytesUnderWay ? DrainAsync().AsTask() : Task.CompletedTask;
    });

    private async Task TryPushAsync(byte[] update)
    {
        try
        {
            await documents.PushAsync(caller, id, update, socket.Ended);
            Acknowledge();
        }
        catch (CollabException exception) when (exception.Code == ErrorCodes.Forbidden)
        {
            // Clients send what they have when they connect: it may be nothing new.
            if (await documents.HasAsync(caller, id, update, socket.Ended))
                Acknowledge();
            else
                Deny();
        }
        finally
        {
            if (Interlocked.Add(ref _bytesUnderWay, -update.Length - BytesOfEach) == 0)
                Volatile.Read(ref _drained)?.TrySetResult();
        }
    }

    private async Task ObserveAsync(Task push)
    {
        try
        {
            await push;
        }
        catch (CollabException exception)
        {
            await FailAsync(exception);
        }
        catch (OperationCanceledException)
        {
            // The connection has ended.
        }
    }

    /// <summary>Does something as soon as the client may: he is not read meanwhile.</summary>
    protected async ValueTask PatientlyAsync(Func<Task> action)
    {
        while (true)
        {
            try
            {
                await action();
                return;
            }
            catch (CollabException exception) when (exception.Code == ErrorCodes.RateLimited)
            {
                await Task.Delay(exception.RetryAfter ?? Pause, socket.Ended);
            }
        }
    }
}
