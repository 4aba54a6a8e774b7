using System.Text.Json;
using Collab.Crdt.Tests.Oracle;

namespace Collab.Crdt.Tests.Documents;

/// <summary>
/// Random sessions that yjs has played (<c>tests/oracle/session.mjs</c>), the same in each run. They are fetched ahead, so that
/// yjs plays the next ones while the last ones are compared.
/// </summary>
/// <remarks>
/// <c>COLLAB_FUZZ_SEED=123</c> begins with another seed, <c>COLLAB_FUZZ_SEED=rich:123</c> is that session of the profile
/// "rich" alone. <c>COLLAB_LONG=1</c> plays many more.
/// </remarks>
public sealed class SessionSource : IAsyncLifetime
{
    private const int SessionsPerBlock = 90, SessionsPerRequest = 30;

    private static readonly string[] Chosen = (Environment.GetEnvironmentVariable("COLLAB_FUZZ_SEED") ?? "").Split(':');

    private readonly YjsOracle _yjs = new();
    private readonly SemaphoreSlim _asking = new(1);
    private readonly Dictionary<string, Task<IReadOnlyList<JsonElement>>> _first = [];

    /// <summary>The profiles of sessions; kept equal to those of the oracle by a test.</summary>
    public static IReadOnlyList<string> Profiles { get; } =
    [
        "text", "split-pairs", "rich", "array", "map", "nested", "xml", "mixed", "documents", "plain", "undo", "undo-text", "undo-some",
        "sub-docs", "gc-off", "gc-off-undo", "gc-mixed", "observed", "long-text", "long-rich", "long-lists", "yrs",
    ];

    /// <summary>True when one session is played alone.</summary>
    public static bool PlaysOne => Chosen.Length > 1;

    /// <summary>How many blocks of sessions there are after the first one.</summary>
    public static int OtherBlocks { get; } = PlaysOne ? 0 : Environment.GetEnvironmentVariable("COLLAB_LONG") == "1" ? 60 : 1;

    private static int FirstSeed => int.TryParse(Chosen[^1], out var seed) ? seed : 0;

    public async Task InitializeAsync()
    {
        await _yjs.InitializeAsync();
        foreach (var profile in Profiles)
            _first[profile] = FetchAsync(profile, block: 0);
    }

    public async Task DisposeAsync()
    {
        await Task.WhenAll(_first.Values);
        await _yjs.DisposeAsync();
    }

    /// <summary>The names that the oracle has for its profiles.</summary>
    public Task<IReadOnlyList<string>> ProfilesOfOracleAsync() => AloneAsync(() => _yjs.ProfilesAsync());

    /// <summary>A block of sessions of a profile; the first one is kept.</summary>
    public Task<IReadOnlyList<JsonElement>> SessionsAsync(string profile, int block) =>
        block == 0 ? _first[profile] : FetchAsync(profile, block);

    /// <summary>A session with all bytes and dumps in full in place of their hashes.</summary>
    public async Task<JsonElement> InDetailAsync(string profile, int seed) =>
        (await AloneAsync(() => _yjs.SessionsAsync(profile, seed, 1, detail: true)))[0];

    private async Task<IReadOnlyList<JsonElement>> FetchAsync(string profile, int block)
    {
        if (PlaysOne)
            return Chosen[0] == profile ? [await InDetailAsync(profile, FirstSeed)] : [];
        var sessions = new List<JsonElement>();
        var (count, each) = profile.StartsWith("long", StringComparison.Ordinal) ? (2, 1) : (SessionsPerBlock, SessionsPerRequest);
        for (var from = 0; from < count; from += each)
        {
            var seed = FirstSeed + (block * SessionsPerBlock) + from;
            sessions.AddRange(await AloneAsync(() => _yjs.SessionsAsync(profile, seed, each)));
        }
        return sessions;
    }

    // The oracle answers one request at a time.
    private async Task<T> AloneAsync<T>(Func<Task<T>> ask)
    {
        await _asking.WaitAsync();
        try
        {
            return await ask();
        }
        finally
        {
            _asking.Release();
        }
    }
}
