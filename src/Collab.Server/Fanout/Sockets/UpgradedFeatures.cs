using System.Collections;
using Microsoft.AspNetCore.Http.Features;

namespace Collab.Server.Fanout.Sockets;

/// <summary>
/// The features of a request that may go on alone: its own, and for what it has none of, those of the server's request, until it lets go of that.
/// The endpoint may ask for one at any moment, also while the request is upgraded.
/// </summary>
/// <param name="request">Those of the server's request.</param>
internal sealed class UpgradedFeatures(IFeatureCollection request) : IFeatureCollection
{
    private readonly Lock _writing = new();
    // Never changed, only replaced. They are few: an array takes a third of the memory of a dictionary.
    private volatile KeyValuePair<Type, object>[] _own = [];
    private volatile IFeatureCollection? _request = request;
    private volatile int _revision;

    public bool IsReadOnly => false;

    public int Revision => _revision + (_request?.Revision ?? 0);

    public object? this[Type key]
    {
        get
        {
            // Read first: whatever was kept when the request is gone is seen below.
            var request = _request;
            foreach (var (type, feature) in _own)
            {
                if (type == key)
                    return feature;
            }

            return request?[key];
        }

        set
        {
            lock (_writing)
            {
                var others = _own.Where(feature => feature.Key != key);
                _own = [.. value is null ? others : others.Append(KeyValuePair.Create(key, value))];
                _revision++;
            }
        }
    }

    public TFeature? Get<TFeature>() => (TFeature?)this[typeof(TFeature)];

    public void Set<TFeature>(TFeature? instance) => this[typeof(TFeature)] = instance;

    /// <summary>From here on there are only its own.</summary>
    public void LetGo()
    {
        lock (_writing)
        {
            // Whoever remembers a feature looks again when the revision is another.
            _revision += _request!.Revision + 1;
            _request = null;
        }
    }

    public IEnumerator<KeyValuePair<Type, object>> GetEnumerator()
    {
        var (own, request) = (_own, _request);
        return own.Concat((request ?? Enumerable.Empty<KeyValuePair<Type, object>>()).Where(feature => !Array.Exists(own, one => one.Key == feature.Key))).GetEnumerator();
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
