namespace Collab.Crdt;

/// <summary>
/// Holds a document as it is: while it is open, whoever writes gets an <see cref="InvalidOperationException"/>. Several may be
/// open at once. Made by <see cref="Doc.ReadTransaction"/>; disposing it ends it.
/// </summary>
public sealed class ReadTransaction : IDisposable
{
    private Doc? _doc;

    internal ReadTransaction(Doc doc) => _doc = doc;

    /// <summary>Ends it.</summary>
    public void Dispose()
    {
        _doc?.EndRead();
        _doc = null;
    }
}
