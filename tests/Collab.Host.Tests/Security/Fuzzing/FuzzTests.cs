using System.Diagnostics;
using System.Globalization;
using System.Net;
using Collab.Crdt;
using Collab.Testing;
using Microsoft.AspNetCore.Http.Connections;
using Xunit.Abstractions;

namespace Collab.Host.Tests.Security.Fuzzing;

/// <summary>
/// A server under a hail of broken hub messages, handshakes, HTTP requests and WebSocket frames: it stays up, says nothing of errors, its
/// memory returns, and what others edit meanwhile arrives. <c>COLLAB_LONG=1</c> sends 100,000, other ones each time;
/// <c>COLLAB_FUZZ_SEED=123</c> sends those of that seed.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const int Quarters = 4;

    private const string Grants =
        """[{ "document": "fuzz/*", "access": ["read", "write"] }, { "document": "shared", "access": ["read"] }, { "channel": "fuzz/*", "access": ["subscribe", "publish", "history", "presence"] }]""";

    // Who is refused because he comes too often has broken nothing. And what is not given back soon ends the server: its heap has 192 MB.
    private static readonly (string, string)[] Settings =
    [
        ("DOTNET_GCHeapHardLimit", "0xC000000"),
        ("Collab__Limits__ConnectionsPerUser", "0"), ("Collab__Limits__RequestsPerSecond", "0"),
        ("Collab__Documents__UpdatesPerSecond", "0"), ("Collab__Documents__AwarenessPerSecond", "0"), ("Collab__Channels__PublishesPerSecond", "0"),
    ];

    private static readonly bool IsLong = Environment.GetEnvironmentVariable("COLLAB_LONG") == "1";
    private static readonly int Inputs = IsLong ? 100_000 : 3_000;
    private static readonly int Attackers = IsLong ? 32 : 6;

    private static int Seed =>
        int.TryParse(Environment.GetEnvironmentVariable("COLLAB_FUZZ_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out var seed)
            ? seed
            : IsLong ? Random.Shared.Next() : 1;

    [Fact]
    public async Task Broken_input_of_every_kind_harms_neither_the_server_nor_the_others()
    {
        var seed = Seed;
        output.WriteLine($"COLLAB_FUZZ_SEED={seed}");
        using var folder = new TemporaryFolder();
        await using var host = await HostProcess.Launch(folder.Path, "Production", [.. Tokens.Settings, .. Settings]).ReadyAsync();
        var editors = await StartEditorsAsync(host);
        var (samples, tally, clock) = (new Samples(), new Tally(), Stopwatch.StartNew());
        var attackers = Enumerable.Range(0, Attackers)
            .Select(i => new Attacker(new Uri(host.Url), Tokens.Of(Grants, "mallory"), unchecked(seed * 31 + i), tally, samples)).ToArray();

        for (var quarter = 1; quarter <= Quarters; quarter++)
        {
            var before = editors.Select(editor => editor.Acknowledged).ToArray();
            try
            {
                await Task.WhenAll(attackers.Select((attacker, i) => Task.Run(() => attacker.SendAsync(ShareOf(i, quarter)))));
            }
            catch
            {
                output.WriteLine(string.Join('\n', host.Lines.TakeLast(200)));
                throw;
            }

            Assert.All(editors.Zip(before), one => Assert.True(one.First.Acknowledged > one.Second, "nobody could edit meanwhile"));
            foreach (var attacker in attackers)
                await attacker.LeaveAsync();
            output.WriteLine($"{tally.Total} inputs after {clock.Elapsed.TotalSeconds:0} s, resident {ResidentBytes(host) >> 20} MB, {host.Lines.Count} lines logged");
        }

        output.WriteLine($"{tally}\n{tally.Total,7} in all; edits acknowledged meanwhile: {string.Join(" and ", editors.Select(editor => editor.Acknowledged))}");
        foreach (var line in host.Lines.Take(200))
            output.WriteLine(line);
        foreach (var attacker in attackers)
            await attacker.DisposeAsync();

        Assert.Equal(Inputs, tally.Total);
        await AssertEditsArrivedAsync(host, editors);
        Assert.Equal(HttpStatusCode.OK, await host.HealthAsync("ready"));
        Assert.DoesNotContain(host.Lines, IsError);
        Assert.Equal(0, await host.TerminateAsync());
        Assert.DoesNotContain(host.Lines, IsError);
    }

    // All shares together are all inputs.
    private static int ShareOf(int attacker, int quarter)
    {
        var part = (quarter - 1) * Attackers + attacker;
        return (int)((long)Inputs * (part + 1) / (Quarters * Attackers) - (long)Inputs * part / (Quarters * Attackers));
    }

    private static async Task<Editor[]> StartEditorsAsync(HostProcess host)
    {
        var (ada, ben) = (Tokens.Of(EditorGrants, "ada"), Tokens.Of(EditorGrants, "ben"));
        return
        [
            await Editor.StartAsync(await host.ConnectAsync(ada), 3_000_000_001),
            await Editor.StartAsync(await host.ConnectAsync(ben, HttpTransportType.ServerSentEvents, messagePack: false), 3_000_000_002),
        ];
    }

    private const string EditorGrants = """[{ "document": "*", "access": ["read", "write"] }]""";

    private static async Task AssertEditsArrivedAsync(HostProcess host, Editor[] editors)
    {
        foreach (var editor in editors)
            await editor.StopAsync();
        var late = await host.ConnectAsync(Tokens.Of(EditorGrants, "cleo"));
        using var doc = new Doc();
        doc.ApplyV1((await late.JoinAsync(BrokenMessages.Shared)).Update);
        var text = doc.GetText("t").ToString();
        string[] both = [editors[0].Typed + editors[1].Typed, editors[1].Typed + editors[0].Typed];
        Assert.Contains(text, both);
        await late.PushAsync(BrokenMessages.Shared, new Typist(3_000_000_003).Type("still here"));
    }

    private static bool IsError(string line) =>
        line.StartsWith("fail:", StringComparison.Ordinal) || line.StartsWith("crit:", StringComparison.Ordinal) || line.Contains("Unhandled", StringComparison.OrdinalIgnoreCase);

    private static long ResidentBytes(HostProcess host)
    {
        using var process = Process.GetProcessById(host.Id);
        return process.WorkingSet64;
    }
}
