using System.Collections.Concurrent;
using Collab.Server.Nodes;

namespace Collab.Testing.Nodes;

/// <summary>Connects nodes that run in one process. It can be told to lose what is said.</summary>
public sealed class InMemoryNetwork
{
    private readonly ConcurrentBag<Backplane> _nodes = [];

    /// <summary>Whether messages are lost; when they come again, the nodes are not told.</summary>
    public bool IsLossy { get; set; }

    /// <summary>Whether nodes know that nothing is carried.</summary>
    public bool IsDown { get; set; }

    /// <summary>Lets one more node take part.</summary>
    public IBackplane Connect()
    {
        var node = new Backplane(this);
        _nodes.Add(node);
        return node;
    }

    private sealed class Backplane(InMemoryNetwork network) : IBackplane
    {
        private readonly ConcurrentDictionary<string, bool> _groups = new(StringComparer.Ordinal);
        private readonly BlockingCollection<(string Group, ReadOnlyMemory<byte> Message)> _arrived = [];

        public bool IsShared => true;

        public bool IsConnected => !network.IsDown;

        public void Start(Action<string, ReadOnlyMemory<byte>> received, Action restored)
        {
            new Thread(() =>
            {
                foreach (var (group, message) in _arrived.GetConsumingEnumerable())
                {
                    if (_groups.ContainsKey(group))
                        received(group, message);
                }
            })
            { IsBackground = true }.Start();
        }

        public void Publish(string group, ReadOnlyMemory<byte> message)
        {
            if (network.IsLossy)
                return;
            foreach (var node in network._nodes)
                node._arrived.Add((group, message));
        }

        public ValueTask JoinAsync(string group)
        {
            _groups[group] = true;
            return default;
        }

        public ValueTask LeaveAsync(string group)
        {
            _groups.TryRemove(group, out _);
            return default;
        }
    }
}
