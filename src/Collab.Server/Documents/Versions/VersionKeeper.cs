using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Collab.Server.Documents.Versions;

/// <summary>Says when one document is due for a version, and who has written since the last.</summary>
internal sealed class VersionKeeper
{
    private readonly Lock _gate = new();
    private readonly HashSet<string> _authors = new(StringComparer.Ordinal);
    private long _updates;
    private long _since;
    private long? _madeAt;

    /// <summary>Updates of somebody were committed.</summary>
    /// <param name="author">Who wrote them, if anybody is known.</param>
    /// <param name="now">The time, by <see cref="Environment.TickCount64"/>.</param>
    public void Changed(string? author, long now)
    {
        lock (_gate)
        {
            if (_updates++ == 0)
                _since = _madeAt ?? now;
            if (author is not null)
                _authors.Add(author);
        }
    }

    /// <summary>Whether it is time for a version; it counts as made then.</summary>
    /// <param name="options">When it is.</param>
    /// <param name="isLeft">Whether nobody is in the document.</param>
    /// <param name="now">The time.</param>
    public bool TryTakeTurn(VersionOptions options, bool isLeft, long now)
    {
        if (!options.Automatic)
            return false;
        lock (_gate)
        {
            var age = now - _since;
            var least = options.AtLeastSeconds * 1000L;
            if (_updates == 0 || (_madeAt is { } made && now - made < least))
                return false;
            // A document that is left goes out of memory soon, and this with it.
            if (!isLeft && (age < least || (age < options.EverySeconds * 1000L && _updates < options.EveryUpdates)))
                return false;
            (_updates, _madeAt) = (0, now);
            return true;
        }
    }

    /// <summary>Who has written since this was asked last.</summary>
    public IReadOnlyList<string> TakeAuthors()
    {
        lock (_gate)
        {
            string[] authors = [.. _authors];
            _authors.Clear();
            return authors;
        }
    }
}

/// <summary>Makes versions of documents that are due, in the background.</summary>
internal sealed class AutomaticVersions(
    DocumentRooms rooms, DocumentVersions versions, IOptions<VersionOptions> options, ILogger<AutomaticVersions> logger)
    : Microsoft.Extensions.Hosting.BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (options.Value.Automatic)
        {
            try
            {
                await Task.Delay(Interval, stoppingToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            foreach (var room in rooms.Open())
            {
                if (room.Versions.TryTakeTurn(options.Value, room.Members == 0, Environment.TickCount64))
                    await MakeAsync(room.Id, stoppingToken);
            }
        }
    }

    private async Task MakeAsync(string documentId, CancellationToken stoppingToken)
    {
        try
        {
            await versions.CreateIfDueAsync(documentId, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops; the next one makes it.
        }
        catch (Exception exception)
        {
            DocumentLog.VersionFailed(logger, documentId, exception);
        }
    }
}
