namespace Collab.Crdt;

/// <summary>A text.</summary>
public sealed class Text : SharedType
{
}
