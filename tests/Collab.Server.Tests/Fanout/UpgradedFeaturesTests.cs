using Collab.Server.Fanout.Sockets;
using Microsoft.AspNetCore.Http.Features;

namespace Collab.Server.Tests.Fanout;

/// <summary>The features of a request before and after it is upgraded.</summary>
public sealed class UpgradedFeaturesTests
{
    private readonly FeatureCollection _request = [];

    [Fact]
    public void Its_own_come_before_those_of_the_request_which_do_not_change()
    {
        _request.Set("of the request");
        var features = new UpgradedFeatures(_request);
        Assert.Equal("of the request", features.Get<string>());

        features.Set("its own");

        Assert.Equal(("its own", "of the request"), (features.Get<string>(), _request.Get<string>()));
        features.Set<string>(null);
        Assert.Equal("of the request", features.Get<string>());
    }

    [Fact]
    public void Let_go_of_the_request_has_no_features_any_more_and_who_remembers_one_looks_again()
    {
        _request.Set("of the request");
        _request.Set(new Version(1, 0));
        var features = new UpgradedFeatures(_request);
        features.Set("its own");
        Assert.Equal(["its own", "1.0"], features.Select(feature => feature.Value.ToString()!));
        var revision = features.Revision;

        features.LetGo();

        Assert.NotEqual(revision, features.Revision);
        Assert.Equal("its own", features.Get<string>());
        Assert.Null(features.Get<Version>());
        Assert.Equal(["its own"], features.Select(feature => feature.Value.ToString()!));
    }

    [Fact]
    public async Task Who_asks_while_the_request_is_upgraded_gets_one_or_the_other()
    {
        for (var round = 0; round < 200; round++)
        {
            var request = new FeatureCollection();
            request.Set("of the request");
            var features = new UpgradedFeatures(request);
            features.Set(new Version(1, 0));
            using var begun = new Barrier(2);
            var asking = Task.Run(() =>
            {
                begun.SignalAndWait();
                for (var i = 0; i < 200; i++)
                {
                    Assert.NotNull(features.Get<Version>());
                    Assert.NotNull(features.Get<string>());
                }
            });

            begun.SignalAndWait();
            features.Set(new object());
            features.Set("its own");
            features.Set(new List<int>());
            features.LetGo();
            features.Set(new Version(2, 0));

            await asking;
        }
    }
}
