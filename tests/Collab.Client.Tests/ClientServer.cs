using Collab.Protocol;
using Collab.Testing;

namespace Collab.Client.Tests;

/// <summary>A server that the tests of a class share, and the clients of one test.</summary>
public sealed class ClientServer : IAsyncLifetime
{
    private CollabTestHost? _host;

    public string Url => _host!.Url;

    public IServiceProvider Services => _host!.Services;

    public async Task InitializeAsync() => _host = await CollabTestHost.StartAsync();

    public async Task DisposeAsync() => await _host!.DisposeAsync();

    /// <summary>A connection of a user, by default to this server directly, whose handlers are called on the thread pool.</summary>
    public CollabConnection Connect(string user = "ada", Action<CollabConnectionOptions>? configure = null, string? url = null, string grants = CollabTestHost.Everything)
    {
        var options = new CollabConnectionOptions
        {
            AccessTokenFactory = _ => Task.FromResult(TokenOf(user, grants)),
            MaximumBackoff = TimeSpan.FromMilliseconds(500),
            Callbacks = null,
        };
        configure?.Invoke(options);
        return WithoutContext(() => new CollabConnection(new Uri((url ?? Url) + HubContract.Path), options));
    }

    public static string TokenOf(string user, string grants = CollabTestHost.Everything, DateTimeOffset? expires = null) =>
        TestAuthentication.Header(user, grants, expires)[(TestAuthentication.SchemeName.Length + 1)..];

    /// <summary>Makes something where nobody has a context of his own, as in a console program.</summary>
    public static T WithoutContext<T>(Func<T> make)
    {
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            return make();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    public static string NewName() => $"tests/{Guid.NewGuid():n}";
}

internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Waits until a condition holds.</summary>
    public static async Task IsTrueAsync(Func<bool> condition, Func<string>? otherwise = null)
    {
        var deadline = DateTime.UtcNow + Patience;
        while (!condition())
        {
            if (DateTime.UtcNow > deadline)
                throw new TimeoutException(otherwise?.Invoke() ?? "It did not happen.");
            await Task.Delay(5);
        }
    }

    /// <summary>Waits at most so long as is reasonable.</summary>
    public static Task SoonAsync(this Task task) => task.WaitAsync(Patience);

    /// <inheritdoc cref="SoonAsync(Task)"/>
    public static Task<T> SoonAsync<T>(this Task<T> task) => task.WaitAsync(Patience);
}
