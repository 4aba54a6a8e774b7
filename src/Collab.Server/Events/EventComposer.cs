using System.Buffers;
using System.Text.Json;
using Collab.Crdt;
using Collab.Protocol;
using Collab.Server.Channels;
using Collab.Server.Rooms;
using Microsoft.Extensions.Options;

namespace Collab.Server.Events;

/// <summary>Makes CloudEvents (cloudevents.io, version 1.0) of the outbox's notes, with what has changed read from the rooms' logs.</summary>
internal sealed class EventComposer(IRoomLog log, IOptions<EventOptions> options)
{
    private const int MaxMessages = 100;
    private const int MaxUpdates = 4096;

    /// <summary>Makes the events of a note; several when it has too much content for one.</summary>
    /// <param name="id">The id of the first; the others' are this and a number.</param>
    /// <param name="note">The note.</param>
    /// <param name="time">When it was written.</param>
    /// <param name="withContent">Whether they have what was changed.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RoomLogUnavailableException">The log cannot be read now.</exception>
    public async Task<IReadOnlyList<OutgoingEvent>> ComposeAsync(
        string id, EventNote note, DateTimeOffset time, bool withContent, CancellationToken cancellationToken)
    {
        if (withContent && note.Type == EventTypes.ChannelPublished)
            return await ComposeMessagesAsync(id, note, time, cancellationToken);
        var update = withContent && note.Type == EventTypes.DocumentChanged ? await ReadUpdateAsync(note, cancellationToken) : null;
        return [Compose(id, note, time, writer =>
        {
            WriteRange(writer, note.Epoch, note.After, note.Through);
            if (note.Users is { } users)
            {
                writer.WriteStartArray("users");
                foreach (var user in users)
                    writer.WriteStringValue(user);
                writer.WriteEndArray();
            }

            if (update is not null)
                writer.WriteBase64String("update", update);
            foreach (var property in note.Data?.EnumerateObject() ?? [])
                property.WriteTo(writer);
        })];
    }

    private async Task<List<OutgoingEvent>> ComposeMessagesAsync(string id, EventNote note, DateTimeOffset time, CancellationToken cancellationToken)
    {
        var events = new List<OutgoingEvent>();
        var after = note.After;
        while (after < note.Through)
        {
            var page = await log.ReadAsync(new RoomKey(note.Kind, note.Room), after, MaxMessages, Math.Max(options.Value.MaxContentBytes, 1), cancellationToken);
            LogEntry[] entries = page.Epoch == note.Epoch ? [.. page.Entries.TakeWhile(entry => entry.Offset <= note.Through)] : [];
            // What is not kept any more is told without content.
            var (from, through) = (after, entries.Length > 0 ? entries[^1].Offset : note.Through);
            events.Add(Compose(events.Count == 0 ? id : $"{id}-{events.Count}", note, time, writer =>
            {
                WriteRange(writer, note.Epoch, from, through);
                writer.WriteStartArray("messages");
                foreach (var entry in entries)
                    writer.WriteRawValue(new StoredMessage(entry.Offset, ChannelEntry.Decode(page.Epoch, entry)).Json, skipInputValidation: true);
                writer.WriteEndArray();
            }));
            after = through;
        }

        return events;
    }

    /// <summary>What a document has got, as one update; null when that cannot be told apart any more or is too much.</summary>
    private async Task<byte[]?> ReadUpdateAsync(EventNote note, CancellationToken cancellationToken)
    {
        var page = await log.ReadAsync(new RoomKey(note.Kind, note.Room), note.After, MaxUpdates, options.Value.MaxContentBytes + 1L, cancellationToken);
        if (page.Epoch != note.Epoch || page.Snapshot is not null)
            return null;
        var entries = page.Entries.TakeWhile(entry => entry.Offset <= note.Through).ToArray();
        return entries.Length == note.Through - note.After && entries.Sum(entry => (long)entry.Data.Length) <= options.Value.MaxContentBytes
            ? Updates.MergeV1([.. entries.Select(entry => entry.Data)])
            : null;
    }

    private OutgoingEvent Compose(string id, EventNote note, DateTimeOffset time, Action<Utf8JsonWriter> writeData)
    {
        var type = EventTypes.Prefix + note.Type;
        var json = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteString("specversion", "1.0");
            writer.WriteString("id", id);
            writer.WriteString("source", options.Value.Source);
            writer.WriteString("type", type);
            writer.WriteString("subject", note.Subject);
            writer.WriteString("time", time.UtcDateTime);
            writer.WriteString("datacontenttype", "application/json");
            writer.WriteStartObject("data");
            writer.WriteString(note.Kind == RoomKind.Channel ? "channel" : "document", note.Room);
            writeData(writer);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return new OutgoingEvent(id, type, options.Value.Source, note.Subject, time, json.WrittenMemory);
    }

    private static void WriteRange(Utf8JsonWriter writer, string? epoch, long after, long through)
    {
        if (epoch is null)
            return;
        if (after < through)
            writer.WriteString("after", new Position(epoch, after).ToString());
        writer.WriteString("position", new Position(epoch, through).ToString());
    }
}
