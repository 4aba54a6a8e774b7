namespace Collab.Crdt;

/// <summary>An XML element with attributes and children (yjs <c>Y.XmlElement</c>).</summary>
public sealed class XmlElement : XmlFragment
{
    /// <summary>Makes an element, to be inserted into a document.</summary>
    /// <param name="name">Its name, such as <c>paragraph</c>.</param>
    public XmlElement(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        Name = name;
    }

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>The attributes by name, in the order in which they first came.</summary>
    public IReadOnlyDictionary<string, Any> Attributes => new OrderedDictionary<string, Any>(MapEditor.Entries(Read()));

    /// <summary>The attributes that the element had at a snapshot, in the order in which they first came.</summary>
    /// <param name="snapshot">The state to show.</param>
    public IReadOnlyDictionary<string, Any> AttributesAt(Snapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return SnapshotContent.EntriesOf(Read(), snapshot);
    }

    internal override TypeKind Kind => TypeKind.XmlElement;

    internal override string? NodeName => Name;

    /// <summary>The value of an attribute; undefined when there is none.</summary>
    /// <param name="name">Its name.</param>
    public Any GetAttribute(string name) => GetEntry(name);

    /// <summary>Sets an attribute.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">Its value, mostly a string.</param>
    public void SetAttribute(string name, Any value) => SetEntry(name, value);

    /// <summary>Removes an attribute.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>False when there was none, or when the element is in no document yet.</returns>
    public bool RemoveAttribute(string name) => RemoveEntry(name);
}
