using System.Collections.Concurrent;
using System.Security.Claims;
using System.Text.Json;
using Collab.Protocol;
using Collab.Server;
using Collab.Server.Channels.Views;
using Microsoft.Extensions.Options;

namespace Collab.PostgresChanges.RowSecurity;

/// <summary>Lets a reader of a table's channel see the rows that the database lets him see, when his role there is known by a claim.</summary>
internal sealed class RowAudience(VisibleRows rows, IOptions<RowSecurityOptions> options, TimeProvider clock) : IChannelAudience
{
    // For so long a table that can be checked is believed to be one still. Each look at its rows checks it anyway.
    private static readonly TimeSpan Believed = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<(TableName Table, string Role), long> _fit = new();

    public async ValueTask<ChannelSight?> SightOfAsync(string channel, ClaimsPrincipal user, CancellationToken cancellationToken)
    {
        if (!options.Value.IsOn || !TableName.TryParse(channel, out var table))
            return null;
        var reader = RowReader.Of(user, options.Value)
            ?? throw new CollabException(ErrorCodes.Forbidden, $"your token names no role of the database in its claim {options.Value.RoleClaim}");
        await CheckAsync(reader, table, cancellationToken);
        return new RowSight(rows, reader, table);
    }

    private async ValueTask CheckAsync(RowReader reader, TableName table, CancellationToken cancellationToken)
    {
        if (_fit.TryGetValue((table, reader.Role), out var since) && clock.GetElapsedTime(since) < Believed)
            return;
        if ((await rows.LookAtAsync(reader, table, cancellationToken)).FaultFor(table, reader.Role) is { } fault)
            throw new CollabException(ErrorCodes.Forbidden, fault);
        _fit[(table, reader.Role)] = clock.GetTimestamp();
    }
}

/// <summary>What one reader sees of a table's changes.</summary>
internal sealed class RowSight(VisibleRows rows, RowReader reader, TableName table) : ChannelSight($"{reader.Role}\n{reader.Claims}")
{
    public override async ValueTask<IReadOnlyList<JsonElement?>> LookAsync(IReadOnlyList<SightedMessage> messages, CancellationToken cancellationToken)
    {
        var changes = messages.Select(message => new RowChange(message.Data)).ToArray();
        var (shape, seen) = await rows.FindAsync(reader, table, shape => [.. changes.Select(change => change.KeyOf(shape))], cancellationToken);
        // Who may see nothing is not told that there was something.
        if (shape.FaultFor(table, reader.Role) is not null)
            return new JsonElement?[changes.Length];
        return [.. changes.Select((change, i) => change.AsSeen(shape, seen.Contains(i)))];
    }
}
