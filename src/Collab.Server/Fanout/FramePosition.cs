using System.Text.Json;
using System.Text.Json.Serialization;
using Collab.Protocol;
using Collab.Server.Rooms;
using MessagePack;
using MessagePack.Formatters;

namespace Collab.Server.Fanout;

/// <summary>
/// The last argument of a message that comes from a room's log: it tells each outbox what the message covers, so that a cursor can
/// follow the log without looking into the bytes.
/// </summary>
internal interface IRoomFrame
{
    /// <summary>The room whose log the message comes from.</summary>
    RoomKey Room { get; }

    /// <summary>The message covers the entries with larger offsets than this…</summary>
    long After { get; }

    /// <summary>… up to and including this one.</summary>
    long Through { get; }

    /// <summary>The connection that wrote everything the message covers and so need not get it back; null when there is none.</summary>
    string? SoleWriter { get; }
}

/// <summary>
/// The position argument of a message about a document. On the wire it is the opaque position string.
/// </summary>
[JsonConverter(typeof(FramePositionJsonConverter))]
internal sealed class FramePosition(RoomKey room, string epoch, long after, long through, string? soleWriter) : IRoomFrame
{
    private readonly string _text = new Position(epoch, through).ToString();

    public RoomKey Room { get; } = room;

    public long After { get; } = after;

    public long Through { get; } = through;

    public string? SoleWriter { get; } = soleWriter;

    public override string ToString() => _text;
}

/// <summary>Writes a <see cref="FramePosition"/> as the position string.</summary>
internal sealed class FramePositionJsonConverter : JsonConverter<FramePosition>
{
    public override FramePosition Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("A frame's position is only ever sent.");

    public override void Write(Utf8JsonWriter writer, FramePosition value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}

/// <inheritdoc cref="FramePositionJsonConverter"/>
internal sealed class FramePositionMessagePackFormatter : IMessagePackFormatter<FramePosition>
{
    public FramePosition Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options) =>
        throw new NotSupportedException("A frame's position is only ever sent.");

    public void Serialize(ref MessagePackWriter writer, FramePosition value, MessagePackSerializerOptions options) =>
        writer.Write(value.ToString());
}
