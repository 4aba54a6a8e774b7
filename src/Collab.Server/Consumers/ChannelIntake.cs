using System.Text.Json;
using Collab.Protocol;
using Collab.Server.Channels;
using Collab.Server.Rooms;
using Collab.Server.Security;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Collab.Server.Consumers;

/// <summary>Checks messages of consumers, and publishes what is in order.</summary>
internal sealed class ChannelIntake(
    ChannelRooms rooms, IOptions<ChannelOptions> options, ConsumerMetrics metrics, ILogger<ChannelIntake> logger) : IChannelIntake
{
    // Longer text is not looked at; the namespace's own limit is for the data without white space.
    private const int MaxBytes = 8 * 1024 * 1024;

    public async Task<IReadOnlyList<string?>> PublishAsync(
        ConsumerOptions consumer, IReadOnlyList<ConsumedMessage> messages, CancellationToken cancellationToken)
    {
        var refusals = new string?[messages.Count];
        var channels = new Dictionary<string, List<NewLogEntry>>(StringComparer.Ordinal);
        for (var i = 0; i < refusals.Length; i++)
        {
            try
            {
                var channel = ChannelOf(consumer, messages[i]);
                var entry = EntryOf(consumer, messages[i], channel);
                if (channels.TryGetValue(channel, out var entries))
                    entries.Add(entry);
                else
                    channels.Add(channel, [entry]);
            }
            catch (CollabException exception)
            {
                refusals[i] = exception.Message;
            }
        }

        await Task.WhenAll(channels.Select(channel => PublishAsync(channel.Key, channel.Value))).WaitAsync(cancellationToken);
        Tell(consumer, messages, refusals);
        return refusals;
    }

    private async Task PublishAsync(string channel, List<NewLogEntry> entries)
    {
        var room = rooms.Enter(channel);
        try
        {
            await room.PublishAsync([.. entries]);
        }
        finally
        {
            room.Leave();
        }
    }

    private static string ChannelOf(ConsumerOptions consumer, ConsumedMessage message)
    {
        if (!string.IsNullOrEmpty(consumer.Channel))
            return consumer.Channel;
        var channel = message.Field(consumer.ChannelField!);
        if (!RoomName.IsValid(channel))
            throw new CollabException(ErrorCodes.InvalidName, $"the field {consumer.ChannelField} names no channel");
        return consumer.Channels.Any(pattern => Grant.Matches(pattern, channel))
            ? channel!
            : throw new CollabException(ErrorCodes.Forbidden, "this consumer may not publish to the channel that the message names");
    }

    private NewLogEntry EntryOf(ConsumerOptions consumer, ConsumedMessage message, string channel)
    {
        // Without one it could not be known when it comes again.
        var id = string.IsNullOrEmpty(consumer.IdField) ? message.Id : message.Field(consumer.IdField);
        if (id is null)
            throw new CollabException(ErrorCodes.InvalidMessage, "it has no id");
        var entry = new NewMessage(message.Field(consumer.EventField) ?? consumer.Event, DataOf(message), id).ToEntry(options.Value.Of(channel), author: null);
        // No client can publish under such a key, and so take a message's place: in theirs there is no line feed.
        return entry with { Key = new AppendKey($"\n{consumer.Name}\n{id}", TimeSpan.FromSeconds(consumer.IdempotencySeconds)) };
    }

    private static JsonData DataOf(ConsumedMessage message)
    {
        if (message.Data is not { } data)
            throw new CollabException(ErrorCodes.InvalidMessage, "it has no data");
        if (data.Length > MaxBytes)
            throw new CollabException(ErrorCodes.TooLarge, $"it has more than {MaxBytes} bytes");
        try
        {
            using var json = JsonDocument.Parse(data, new JsonDocumentOptions { MaxDepth = JsonData.ReaderDepth });
            return JsonData.From(json.RootElement);
        }
        catch (JsonException)
        {
            throw new CollabException(ErrorCodes.InvalidMessage, "its data is no JSON");
        }
    }

    private void Tell(ConsumerOptions consumer, IReadOnlyList<ConsumedMessage> messages, string?[] refusals)
    {
        var refused = 0;
        for (var i = 0; i < refusals.Length; i++)
        {
            if (refusals[i] is not { } reason)
                continue;
            refused++;
            ConsumerLog.Refused(logger, consumer.Name, EventName.IsValid(messages[i].Id) ? messages[i].Id : "without a readable id", reason);
        }

        metrics.Taken(consumer.Name, refusals.Length - refused, refused);
    }
}
