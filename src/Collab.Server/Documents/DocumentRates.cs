using Collab.Server.Limits;
using Microsoft.Extensions.Options;

namespace Collab.Server.Documents;

/// <summary>How many updates and how much awareness a connection may send.</summary>
internal sealed class DocumentRates(IOptions<DocumentOptions> options) : IDisposable
{
    private readonly CallRate<string> _updates = new(
        _ => (options.Value.UpdatesPerSecond, options.Value.UpdateBurst), "you send too many updates", "updates");

    private readonly CallRate<string> _awareness = new(
        _ => (options.Value.AwarenessPerSecond, options.Value.AwarenessBurst), "you send too many awareness updates", "awareness updates");

    /// <summary>Counts an update.</summary>
    /// <exception cref="CollabException"><c>rate_limited</c>: there were too many; says when to try again.</exception>
    public void CountUpdate(Caller caller) => _updates.Count(caller.ConnectionId);

    /// <summary>Counts an awareness update.</summary>
    /// <inheritdoc cref="CountUpdate"/>
    public void CountAwareness(Caller caller) => _awareness.Count(caller.ConnectionId);

    public void Dispose()
    {
        _updates.Dispose();
        _awareness.Dispose();
    }
}
