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

    /// <summary>Makes the events of notes of one room; several of a note that has too much content for one.</summary>
    /// <param name="notes">The notes, in order. An event has its note's id; the second of a note has this and a number.</param>
    /// <param name="withContent">Whether they have what was changed.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RoomLogUnavailableException">The log cannot be read now.</exception>
    /// <returns>The events of each note.</returns>
    public async Task<IReadOnlyList<OutgoingEvent>[]> ComposeAsync(IReadOnlyList<StoredNote> notes, bool withContent, CancellationToken cancellationToken)
    {
        var events = new IReadOnlyList<OutgoingEvent>[notes.Count];
        var content = new RoomContent(log, options.Value.MaxContentBytes);
        for (var i = 0; i < events.Length; i++)
        {
            events[i] = withContent && notes[i].Note.Type == EventTypes.ChannelPublished
                ? await ComposeMessagesAsync(notes[i], content, cancellationToken)
                : [Compose(notes[i].EventId, notes[i], await ReadUpdateAsync(notes[i].Note, withContent, content, cancellationToken))];
        }

        return events;
    }

    private async Task<List<OutgoingEvent>> ComposeMessagesAsync(StoredNote stored, RoomContent content, CancellationToken cancellationToken)
    {
        var note = stored.Note;
        var events = new List<OutgoingEvent>(1);
        for (var after = note.After; after < note.Through;)
        {
            var entries = await content.ReadAsync(note, after, MaxMessages, cancellationToken);
            // What is not kept any more is told without content.
            var (from, through) = (after, entries.Count > 0 ? entries[^1].Offset : note.Through);
            events.Add(Compose(events.Count == 0 ? stored.EventId : $"{stored.EventId}-{events.Count}", stored, writer =>
            {
                WriteRange(writer, note.Epoch, from, through);
                writer.WriteStartArray("messages");
                foreach (var entry in entries)
                    writer.WriteRawValue(new StoredMessage(entry.Offset, ChannelEntry.Decode(note.Epoch!, entry)).Json, skipInputValidation: true);
                writer.WriteEndArray();
            }));
            after = through;
        }

        return events;
    }

    /// <summary>What a document has got, as one update; null when that is not asked for, cannot be told apart any more or is too much.</summary>
    private async Task<byte[]?> ReadUpdateAsync(EventNote note, bool withContent, RoomContent content, CancellationToken cancellationToken)
    {
        if (!withContent || note.Type != EventTypes.DocumentChanged)
            return null;
        var entries = await content.ReadAsync(note, note.After, MaxUpdates, cancellationToken);
        return entries.Count == note.Through - note.After && entries.Sum(entry => (long)entry.Data.Length) <= options.Value.MaxContentBytes ? Updates.MergeV1([.. entries.Select(entry => entry.Data)]) : null;
    }

    private OutgoingEvent Compose(string id, StoredNote stored, byte[]? update) => Compose(id, stored, writer =>
    {
        var note = stored.Note;
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
    });

    private OutgoingEvent Compose(string id, StoredNote stored, Action<Utf8JsonWriter> writeData)
    {
        var (note, time) = (stored.Note, stored.At);
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
