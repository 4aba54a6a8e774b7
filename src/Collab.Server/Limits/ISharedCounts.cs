namespace Collab.Server.Limits;

/// <summary>
/// What the nodes of one service count together. Each says how many it has itself; what a node said is gone some seconds after it has.
/// Nobody waits for it to work: while it does not, each node counts for itself.
/// </summary>
public interface ISharedCounts
{
    /// <summary>Says how many a node has now. Never throws.</summary>
    /// <param name="node">The node's id.</param>
    /// <param name="key">What is counted.</param>
    /// <param name="count">How many; 0 takes it away.</param>
    void Put(string node, string key, int count);

    /// <summary>How many nodes have together, as far as they could say it. Never throws.</summary>
    /// <param name="nodes">The nodes' ids.</param>
    /// <param name="key">What is counted.</param>
    ValueTask<int> SumAsync(IReadOnlyList<string> nodes, string key);

    /// <summary>Keeps what a node has said for another while; called every few seconds. Never throws.</summary>
    /// <param name="node">The node's id.</param>
    /// <param name="all">All that it has to say, for when that was lost.</param>
    Task KeepAsync(string node, Func<IEnumerable<KeyValuePair<string, int>>> all);
}

/// <summary>The counts of a node that is alone.</summary>
internal sealed class NoSharedCounts : ISharedCounts
{
    public void Put(string node, string key, int count)
    {
        // Nobody asks.
    }

    public ValueTask<int> SumAsync(IReadOnlyList<string> nodes, string key) => new(0);

    public Task KeepAsync(string node, Func<IEnumerable<KeyValuePair<string, int>>> all) => Task.CompletedTask;
}
