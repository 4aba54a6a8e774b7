using System.Buffers;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Collab.Crdt;
using Collab.Protocol;
using Collab.Server.Fanout;
using Collab.Server.Limits;
using Collab.Server.Rooms;
using Collab.Server.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Collab.Server.Documents.Data;

/// <summary>
/// A document's JSON view as an event stream: first the whole of it (<c>put</c>), then what changes (<c>put</c> of one place, <c>patch</c> of
/// several), each with the document's position as its id. Who comes back with the last id gets what has changed since.
/// </summary>
internal sealed class DocumentViewStream(
    DocumentRooms rooms,
    DocumentReader reader,
    IDocumentEngine engine,
    IRoomLog log,
    RoomAuthorizer authorizer,
    ConnectionCounts counts,
    IHostApplicationLifetime lifetime,
    TimeProvider clock,
    IOptions<FanoutOptions> fanout,
    IOptions<DocumentOptions> options)
{
    // Changes of so long a time go out together; of a large document, for which a view takes longer, those of ten times as long.
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(50);
    private const int GatherFactor = 10;
    // Timers know no longer wait.
    private const double MaxSeconds = 4_000_000;
    private const int RetryMilliseconds = 1_000;
    private const int MaxResumedEntries = 4_096;

    private static readonly JsonElement Nothing = JsonElement.Parse("{}"u8);

    /// <summary>Streams until the reader goes, the document is deleted, or he may not read it any more.</summary>
    /// <param name="context">The request.</param>
    /// <param name="documentId">The document.</param>
    /// <param name="lastId">The position that the reader has, if any.</param>
    public async Task StreamAsync(HttpContext context, string documentId, string? lastId)
    {
        DocumentService.CheckName(documentId);
        var key = new RoomKey(RoomKind.Document, documentId);
        if (!await authorizer.MayAsync(context.User, key, Rights.Read))
            throw new CollabException(ErrorCodes.Forbidden, "you may not read this document");

        lifetime.ThrowIfStopping();
        using var held = await counts.HoldAsync(context);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        if (SignIn.Of(context).SecondsLeft(clock.GetUtcNow()) is { } left)
            ending.CancelAfter(TimeSpan.FromSeconds(Math.Min(left, MaxSeconds)));
        var room = rooms.Visit(documentId);
        try
        {
            // Before anything is written: what cannot be read is a problem, not a stream.
            var (shown, state) = await ReadAsync(room, ending.Token);
            Begin(context);
            await WriteFirstAsync(context, room, shown, state, lastId, ending.Token);
            await FollowAsync(context, room, key, shown, state, ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The reader has gone, his token has expired, or the server goes: who may comes back, and goes on, by himself.
        }
        catch (Exception exception) when (context.Response.HasStarted && exception is CollabException or RoomLogUnavailableException)
        {
            // What cannot be read now can be when he comes back.
        }
        finally
        {
            room.EndVisit();
        }
    }

    private static void Begin(HttpContext context)
    {
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = DocumentFormat.EventStream;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["X-Accel-Buffering"] = "no";
    }

    private async Task FollowAsync(
        HttpContext context, DocumentRoom room, RoomKey key, JsonElement shown, DocumentState state, CancellationToken cancellationToken)
    {
        var keepAlive = TimeSpan.FromMilliseconds(fanout.Value.KeepAliveMilliseconds);
        while (true)
        {
            while (!await ChangedWithinAsync(room, state.Offset, keepAlive, cancellationToken))
            {
                if (!await authorizer.MayAsync(context.User, key, Rights.Read))
                {
                    await CloseAsync(context, DocumentCloseReasons.Forbidden);
                    return;
                }
                await WriteAsync(context, ":\n\n");
            }

            if (room.IsDeleted)
            {
                await CloseAsync(context, DocumentCloseReasons.Deleted);
                return;
            }
            if (!await authorizer.MayAsync(context.User, key, Rights.Read))
            {
                await CloseAsync(context, DocumentCloseReasons.Forbidden);
                return;
            }

            var started = Stopwatch.GetTimestamp();
            var (now, next) = await ReadAsync(room, cancellationToken);
            await WriteChangesAsync(context, shown, now, next.Position);
            (shown, state) = (now, next);
            var pause = Stopwatch.GetElapsedTime(started) * GatherFactor;
            await Task.Delay(pause > Gather ? pause : Gather, cancellationToken);
        }
    }

    private static async Task<bool> ChangedWithinAsync(DocumentRoom room, long offset, TimeSpan time, CancellationToken cancellationToken)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        waiting.CancelAfter(time);
        try
        {
            await room.WaitBeyondAsync(offset, waiting.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task<(JsonElement View, DocumentState State)> ReadAsync(DocumentRoom room, CancellationToken cancellationToken)
    {
        var (json, state) = await reader.ReadAsync(room, static content => content.ToJson(), cancellationToken);
        return (JsonElement.Parse(json), state);
    }

    private async Task WriteFirstAsync(HttpContext context, DocumentRoom room, JsonElement now, DocumentState state, string? lastId, CancellationToken cancellationToken)
    {
        await WriteAsync(context, $"retry: {RetryMilliseconds}\n\n");
        if (lastId is not null && await ViewAtAsync(room, lastId, state, cancellationToken) is { } known)
            await WriteChangesAsync(context, known, now, state.Position);
        else
            await WriteEventAsync(context, "put", "", now, state.Position);
    }

    // What the reader saw, if the log still tells.
    private async Task<JsonElement?> ViewAtAsync(DocumentRoom room, string lastId, DocumentState state, CancellationToken cancellationToken)
    {
        if (!Position.TryParse(lastId, out var position) || position.Epoch != state.Epoch || position.Offset > state.Offset)
            return null;
        if (position.Offset == 0)
            return Nothing;
        var page = await log.ReadAsync(room.Key, 0, MaxResumedEntries, options.Value.MaxBuiltBytes, cancellationToken);
        var from = page.Snapshot?.Offset ?? 0;
        if (page.Epoch != position.Epoch || position.Offset < from || page.ReachedFrom(0) < position.Offset)
            return null;
        var updates = page.Entries.Where(entry => entry.Offset <= position.Offset).Select(entry => entry.Data).ToList();
        if (page.Snapshot is { } snapshot)
            updates.Insert(0, snapshot.Data);
        try
        {
            return await Task.Run(
                () =>
                {
                    using var content = engine.Open(Updates.MergeV1(updates));
                    return JsonElement.Parse(content.ToJson());
                },
                cancellationToken);
        }
        catch (InvalidUpdateException)
        {
            return null;
        }
    }

    private static async Task WriteChangesAsync(HttpContext context, JsonElement before, JsonElement after, string position)
    {
        var changes = JsonDifference.Between(before, after);
        if (changes is [var (path, value)])
        {
            await WriteEventAsync(context, "put", path, value, position);
        }
        else if (changes.Count > 1)
        {
            await WriteEventAsync(context, "patch", position, json =>
            {
                json.WriteStartObject("data");
                foreach (var (place, change) in changes)
                    WriteMember(json, place, change);
                json.WriteEndObject();
            });
        }
    }

    private static Task WriteEventAsync(HttpContext context, string name, string path, JsonElement? value, string position) =>
        WriteEventAsync(context, name, position, json => WriteMember(json, "data", value), path);

    private static Task WriteEventAsync(HttpContext context, string name, string position, Action<Utf8JsonWriter> writeData, string path = "")
    {
        var data = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(data))
        {
            json.WriteStartObject();
            json.WriteString("path", path.Length == 0 ? "/" : path);
            writeData(json);
            json.WriteEndObject();
        }
        return WriteAsync(context, $"event: {name}\nid: {position}\ndata: {Encoding.UTF8.GetString(data.WrittenSpan)}\n\n");
    }

    private static void WriteMember(Utf8JsonWriter json, string name, JsonElement? value)
    {
        json.WritePropertyName(name);
        if (value is { } given)
            given.WriteTo(json);
        else
            json.WriteNullValue();
    }

    private static Task CloseAsync(HttpContext context, string reason) =>
        WriteAsync(context, $"event: closed\ndata: {{\"reason\":\"{reason}\"}}\n\n");

    private static async Task WriteAsync(HttpContext context, string text)
    {
        await context.Response.WriteAsync(text, context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }
}
