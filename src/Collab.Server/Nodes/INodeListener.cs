using MessagePack;

namespace Collab.Server.Nodes;

/// <summary>Hears what other nodes say in one group.</summary>
internal interface INodeListener
{
    /// <summary>Another node said something. Must not wait.</summary>
    /// <param name="node">The other node's id.</param>
    /// <param name="kind">What it is, by the group's own numbers.</param>
    /// <param name="body">The rest. Its bytes hold during the call.</param>
    void Receive(string node, int kind, ref MessagePackReader body);

    /// <summary>From now on everything is heard; something said before may not have been.</summary>
    void Joined();

    /// <summary>Another node is gone, and all that it stood for.</summary>
    void Lost(string node);
}

/// <summary>Writes the body of a message to other nodes.</summary>
/// <param name="writer">Where to.</param>
internal delegate void WriteBody(ref MessagePackWriter writer);
