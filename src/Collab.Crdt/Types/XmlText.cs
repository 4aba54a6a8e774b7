namespace Collab.Crdt;

/// <summary>A text among XML nodes, which can have attributes of its own (yjs <c>Y.XmlText</c>).</summary>
public sealed class XmlText : Text
{
    /// <summary>Makes an empty text, to be inserted into a document.</summary>
    public XmlText()
    {
    }

    /// <summary>Makes a text, to be inserted into a document.</summary>
    /// <param name="text">What it begins with.</param>
    public XmlText(string text)
        : base(text)
    {
    }

    /// <summary>The attributes by name, in the order in which they first came.</summary>
    public IReadOnlyDictionary<string, Any> Attributes => new OrderedDictionary<string, Any>(MapEditor.Entries(Read()));

    /// <summary>The attributes that the text had at a snapshot, in the order in which they first came.</summary>
    /// <param name="snapshot">The state to show.</param>
    public IReadOnlyDictionary<string, Any> AttributesAt(Snapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return SnapshotContent.EntriesOf(Read(), snapshot);
    }

    internal override TypeKind Kind => TypeKind.XmlText;

    /// <summary>The value of an attribute; undefined when there is none.</summary>
    /// <param name="name">Its name.</param>
    public Any GetAttribute(string name) => GetEntry(name);

    /// <summary>Sets an attribute.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">Its value, mostly a string.</param>
    public void SetAttribute(string name, Any value) => SetEntry(name, value);

    /// <summary>Removes an attribute.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>False when there was none, or when the text is in no document yet.</returns>
    public bool RemoveAttribute(string name) => RemoveEntry(name);

    /// <summary>The text as XML, formats as nested tags in the order of their names.</summary>
    public override string ToString() => XmlWriter.WriteText(Read());

    /// <summary>The XML text, as a string.</summary>
    public override Any ToJson() => ToString();
}
