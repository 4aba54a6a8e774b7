namespace Collab.Crdt;

/// <summary>A shared type.</summary>
public abstract class SharedType
{
}
