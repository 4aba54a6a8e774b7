using System.Collections;
using Microsoft.AspNetCore.Http.Features;

namespace Collab.Server.Fanout.Sockets;

/// <summary>The features of a request that may go on alone: its own, and for what it has none of, those of the server's request, until it lets go of that.</summary>
/// <param name="request">Those of the server's request.</param>
internal sealed class UpgradedFeatures(IFeatureCollection request) : IFeatureCollection
{
    // They are few: a list takes a third of the memory of a dictionary.
    private readonly List<KeyValuePair<Type, object>> _own = new(16);
    private IFeatureCollection? _request = request;
    private int _revision;

    public bool IsReadOnly => false;

    public int Revision => _revision + (_request?.Revision ?? 0);

    public object? this[Type key]
    {
        get
        {
            foreach (var (type, feature) in _own)
            {
                if (type == key)
                    return feature;
            }

            return _request?[key];
        }

        set
        {
            _revision++;
            _own.RemoveAll(feature => feature.Key == key);
            if (value is not null)
                _own.Add(KeyValuePair.Create(key, value));
        }
    }

    public TFeature? Get<TFeature>() => (TFeature?)this[typeof(TFeature)];

    public void Set<TFeature>(TFeature? instance) => this[typeof(TFeature)] = instance;

    /// <summary>From here on there are only its own.</summary>
    public void LetGo()
    {
        // Whoever remembers a feature looks again when the revision is another.
        _revision += _request!.Revision + 1;
        _request = null;
    }

    public IEnumerator<KeyValuePair<Type, object>> GetEnumerator() =>
        _own.Concat((_request ?? Enumerable.Empty<KeyValuePair<Type, object>>()).Where(feature => !_own.Exists(own => own.Key == feature.Key))).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
