namespace Collab.Server.Nodes;

/// <summary>The backplane of a node that is alone.</summary>
internal sealed class NoBackplane : IBackplane
{
    public bool IsShared => false;

    public bool IsConnected => true;

    public void Start(Action<string, ReadOnlyMemory<byte>> received, Action restored)
    {
        // Nobody is there to say anything.
    }

    public void Publish(string group, ReadOnlyMemory<byte> message)
    {
        // Nobody is there to hear it.
    }

    public ValueTask JoinAsync(string group) => default;

    public ValueTask LeaveAsync(string group) => default;
}
