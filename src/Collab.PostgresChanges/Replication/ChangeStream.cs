using Npgsql.Replication;
using NpgsqlTypes;

namespace Collab.PostgresChanges.Replication;

/// <summary>
/// Brings changes from the slot to the logs: while a batch is being stored the next one gathers. What is stored together is whatever has arrived
/// meanwhile, so that many small transactions cost one commit and a lone one does not wait; a large one is stored in parts.
/// </summary>
internal sealed class ChangeStream(
    LogicalReplicationConnection connection, ChangeDecoder decoder, ChangeWriter writer, PostgresChangesOptions options)
{
    /// <summary>While more keeps coming, fewer are not stored by themselves.</summary>
    private const int FewRows = 256;

    private const int LargeBuffer = 1024 * 1024;
    private const int UsualBuffer = 64 * 1024;

    /// <summary>How long what has no changes that count may go unnoted.</summary>
    private static readonly TimeSpan NoteInterval = TimeSpan.FromSeconds(1);

    private byte[] _buffer = new byte[UsualBuffer];
    private Task _storing = Task.CompletedTask;
    private long _lastStored = Environment.TickCount64;

    /// <summary>Reads until it is cancelled, or something fails.</summary>
    public async Task RunAsync(Func<CancellationToken, IAsyncEnumerable<XLogDataMessage>> read, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var messages = read(ended.Token).GetAsyncEnumerator(ended.Token);
        var next = Task.FromResult(true);
        try
        {
            while (true)
            {
                var move = messages.MoveNextAsync();
                if (!(move.IsCompleted ? await move : await WaitAsync(next = move.AsTask(), ended.Token)))
                    throw new EndOfStreamException("The database has ended the stream of changes.");
                await decoder.TakeAsync(await ReadAsync(messages.Current.Data), ended.Token);
                if (decoder.Batch.Count >= options.BatchRows || decoder.Batch.Bytes >= options.BatchBytes)
                    await StoreAsync();
                else if (_storing.IsCompleted && (decoder.Batch.Count >= FewRows || (decoder.HasEnded && IsDue)))
                    await StoreAsync();
            }
        }
        finally
        {
            await ended.CancelAsync();
            // A stream must not be given up while it is being read.
            await Task.WhenAny(next);
            await Task.WhenAny(_storing);
            await messages.DisposeAsync();
        }
    }

    private bool IsDue => Environment.TickCount64 - _lastStored >= NoteInterval.TotalMilliseconds;

    /// <summary>Nothing is at hand: what has gathered is stored.</summary>
    private async Task<bool> WaitAsync(Task<bool> next, CancellationToken cancellationToken)
    {
        while (!next.IsCompleted)
        {
            if (!_storing.IsCompleted)
            {
                await Task.WhenAny(next, _storing);
            }
            else if (decoder.Batch.Count > 0)
            {
                await StoreAsync();
            }
            else
            {
                await _storing;
                await Task.WhenAny(next, Task.Delay(NoteInterval, cancellationToken));
                await NoteAsync(next);
            }
        }

        return await next;
    }

    /// <summary>Notes that there was nothing in what the server has gone through, so that it need not keep it.</summary>
    private async Task NoteAsync(Task<bool> next)
    {
        // Whatever comes next belongs to a transaction that is committed after this place.
        var received = (ulong)connection.LastReceivedLsn;
        if (next.IsCompleted)
            return;
        decoder.SkipTo(received);
        if (decoder is { HasEnded: true, IsInTransaction: false })
            await StoreAsync();
    }

    /// <summary>Begins to store what has gathered, once what was handed over before is stored.</summary>
    private async Task StoreAsync()
    {
        await _storing;
        _lastStored = Environment.TickCount64;
        var (batch, progress) = decoder.Take();
        _storing = StoreAsync(batch, progress);
    }

    private async Task StoreAsync(ChangeBatch batch, ChangeProgress progress)
    {
        // What was begun is stored whatever happens to the stream, and whoever stops waits for it.
        await writer.WriteAsync(progress, batch, CancellationToken.None);
        // Only what is durable here may be forgotten there.
        connection.SetReplicationStatus(new NpgsqlLogSequenceNumber(progress.Lsn));
    }

    private async ValueTask<ReadOnlyMemory<byte>> ReadAsync(Stream data)
    {
        var length = checked((int)data.Length);
        if (length > _buffer.Length || _buffer.Length > LargeBuffer)
            _buffer = new byte[Math.Max(length, UsualBuffer)];
        var bytes = _buffer.AsMemory(0, length);
        await data.ReadExactlyAsync(bytes, CancellationToken.None);
        return bytes;
    }
}
