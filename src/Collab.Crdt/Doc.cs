namespace Collab.Crdt;

/// <summary>A document.</summary>
public sealed class Doc
{
}
