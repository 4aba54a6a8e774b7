using Collab.Protocol;

namespace Collab.Client;

/// <summary>
/// Hands a reader, who came while the channel was subscribed to already, what he wants of the history up to now. What arrives meanwhile
/// he holds.
/// </summary>
internal sealed class ChannelCatchUp(CollabConnection connection, string channel)
{
    // How many messages one call reads.
    private const int Page = 1_000;

    /// <summary>Reads on from where the reader stands, or wants to begin.</summary>
    /// <exception cref="CollabException">The server's, or <c>disconnected</c>.</exception>
    public async Task ReadAsync(ChannelReader reader)
    {
        var rewind = reader.Options.Rewind;
        if ((reader.Position ?? reader.Options.After) is not { } after)
        {
            await ReadNewestAsync(reader, rewind ?? 0, recovered: true);
            return;
        }
        try
        {
            await ReadAfterAsync(reader, after);
        }
        catch (CollabException exception) when (exception.Code == ErrorCodes.PositionLost)
        {
            await ReadNewestAsync(reader, rewind, recovered: false);
        }
    }

    private async Task ReadAfterAsync(ChannelReader reader, string after)
    {
        while (true)
        {
            var page = await GetAsync(new HistoryOptions { After = after, Limit = Page });
            reader.Follows(after, page.Position, recovered: true);
            foreach (var message in page.Messages)
                reader.Read(message);
            reader.Reach(page.Next ?? page.Position);
            if (page.Next is null)
                return;
            after = page.Next;
        }
    }

    // Without a count all that the history has, which is read from its end as nobody knows where it begins.
    private async Task ReadNewestAsync(ChannelReader reader, int? count, bool recovered)
    {
        var position = (await GetAsync(new HistoryOptions { Limit = 1 })).Position;
        var messages = new List<ChannelMessage>();
        for (string? before = null; count is null || messages.Count < count;)
        {
            var page = await GetAsync(new HistoryOptions { Before = before, Limit = Math.Min(Page, (count ?? int.MaxValue) - messages.Count) });
            messages.InsertRange(0, page.Messages);
            before = page.Next;
            if (before is null)
                break;
        }
        var last = messages.Count > 0 ? messages[^1].Position : position;
        reader.Follows(messages.Count > 0 ? Places.Before(messages[0]) : position, last, recovered);
        foreach (var message in messages)
            reader.Read(message);
        reader.Reach(position);
    }

    private Task<ChannelHistory> GetAsync(HistoryOptions options) => connection.CallAsync<ChannelHistory>("GetHistory", channel, options);
}
