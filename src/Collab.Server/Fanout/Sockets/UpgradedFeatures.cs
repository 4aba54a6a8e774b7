using System.Collections;
using Microsoft.AspNetCore.Http.Features;

namespace Collab.Server.Fanout.Sockets;

/// <summary>The features of a request that may go on alone: its own, and for what it has none of, those of the server's request, until it lets go of that.</summary>
/// <param name="request">Those of the server's request.</param>
internal sealed class UpgradedFeatures(IFeatureCollection request) : IFeatureCollection
{
    private readonly FeatureCollection _own = [];
    private IFeatureCollection? _request = request;
    private int _letGo;

    public bool IsReadOnly => false;

    public int Revision => _own.Revision + (_request?.Revision ?? 0) + _letGo;

    public object? this[Type key]
    {
        get => _own[key] ?? _request?[key];
        set => _own[key] = value;
    }

    public TFeature? Get<TFeature>() => (TFeature?)this[typeof(TFeature)];

    public void Set<TFeature>(TFeature? instance) => this[typeof(TFeature)] = instance;

    /// <summary>From here on there are only its own.</summary>
    public void LetGo()
    {
        // Whoever remembers a feature looks again when the revision is another.
        _letGo = _request!.Revision + 1;
        _request = null;
    }

    public IEnumerator<KeyValuePair<Type, object>> GetEnumerator() =>
        (_request is null ? _own : _own.Concat(_request.Where(feature => _own[feature.Key] is null))).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
