using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Collab.Crdt.Tests.Oracle;

/// <summary>
/// yjs in a Node process of its own (<c>tests/oracle/oracle.mjs</c>): one JSON line for each request, one for each answer.
/// Started once for a test class; its packages are installed when they are missing.
/// </summary>
public sealed class YjsOracle : IAsyncLifetime
{
    private static readonly SemaphoreSlim Installing = new(1);

    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromMinutes(2);

    private Process? _node;

    public async Task InitializeAsync()
    {
        await InstallAsync();
        _node = Start("node", "oracle.mjs");
    }

    public async Task DisposeAsync()
    {
        if (_node is null)
            return;
        _node.StandardInput.Close();
        await _node.WaitForExitAsync().WaitAsync(AnswerTimeout);
        _node.Dispose();
    }

    /// <summary>The updates of a random editing session, and the full state of each replica at its end.</summary>
    public async Task<Session> SessionAsync(int seed, bool astral = true)
    {
        var answer = await AskAsync(new JsonObject { ["op"] = "document", ["seed"] = seed, ["astral"] = astral });
        return new Session(Decode(answer["updates"]!), Decode(answer["updatesV2"]!), Decode(answer["states"]!));
    }

    /// <summary>What yjs makes of the updates: merged, the state vector of that, and its difference to a state vector.</summary>
    public async Task<Algebra> AlgebraAsync(IEnumerable<ReadOnlyMemory<byte>> updates, byte[] target)
    {
        var answer = await AskAsync(new JsonObject
        {
            ["op"] = "algebra",
            ["updates"] = Encode(updates),
            ["target"] = Convert.ToBase64String(target),
        });
        return new Algebra(
            Bytes(answer["merged"]), Bytes(answer["stateVector"]), Bytes(answer["diff"]),
            Bytes(answer["mergedV2"]), Bytes(answer["stateVectorV2"]), Bytes(answer["diffV2"]), Bytes(answer["backToV1"]));
    }

    /// <summary>A fresh yjs document after applying the updates in order.</summary>
    public Task<Replica> ApplyAsync(params IEnumerable<ReadOnlyMemory<byte>> updates) => ApplyAsync(gc: true, updates);

    /// <summary>A fresh yjs document, which drops what is deleted or not, after applying the updates in order.</summary>
    public Task<Replica> ApplyAsync(bool gc, params IEnumerable<ReadOnlyMemory<byte>> updates) => ApplyAsync(gc, updates, []);

    /// <summary>The same after applying others in format v2.</summary>
    public async Task<Replica> ApplyAsync(bool gc, IEnumerable<ReadOnlyMemory<byte>> updates, IEnumerable<ReadOnlyMemory<byte>> v2)
    {
        var answer = await AskAsync(new JsonObject { ["op"] = "apply", ["updates"] = Encode(updates), ["v2"] = Encode(v2), ["gc"] = gc });
        return new Replica(
            (string)answer["dump"]!, (string)answer["stateVector"]!, (string)answer["state"]!, (string)answer["stateV2"]!,
            (bool)answer["pending"]!, (bool)answer["stalls"]!);
    }

    /// <summary>Each JSON text, parsed and written again by JavaScript.</summary>
    public async Task<IReadOnlyList<string>> JsonAsync(IEnumerable<string> texts)
    {
        var answer = await AskAsync(new JsonObject { ["op"] = "json", ["texts"] = new JsonArray([.. texts.Select(text => (JsonNode)text)]) });
        return [.. answer["texts"]!.AsArray().Select(text => (string)text!)];
    }

    /// <summary>The text that another implementation (yrs) reads from an update.</summary>
    public async Task<string> TextInYrsAsync(byte[] update)
    {
        var answer = await AskAsync(new JsonObject { ["op"] = "wasm", ["updates"] = Encode([update]) });
        return (string)answer["text"]!;
    }

    /// <summary>The kinds of recorded sessions that there are (<c>tests/oracle/session.mjs</c>).</summary>
    public async Task<IReadOnlyList<string>> ProfilesAsync()
    {
        var answer = await AskAsync(new JsonObject { ["op"] = "profiles" });
        return [.. answer["names"]!.AsArray().Select(name => (string)name!)];
    }

    /// <summary>Recorded sessions, of the seeds from <paramref name="from"/> on.</summary>
    public async Task<IReadOnlyList<JsonElement>> SessionsAsync(string profile, int from, int count, bool detail = false)
    {
        var line = await AskForLineAsync(new JsonObject
        {
            ["op"] = "sessions",
            ["profile"] = profile,
            ["from"] = from,
            ["count"] = count,
            ["detail"] = detail,
        });
        var answer = JsonDocument.Parse(line).RootElement;
        return answer.TryGetProperty("sessions", out var sessions)
            ? [.. sessions.EnumerateArray()]
            : throw new InvalidOperationException($"The oracle failed: {answer}");
    }

    /// <summary>
    /// Plays the steps of a session that was recorded elsewhere: the updates of each step in format v1, and the dumps of the
    /// replicas at its end.
    /// </summary>
    public async Task<(IReadOnlyList<string[]> Updates, string[] Dumps)> PlayAsync(JsonElement session, IReadOnlyList<string> undo)
    {
        var answer = await AskAsync(new JsonObject
        {
            ["op"] = "play",
            ["clients"] = JsonNode.Parse(session.GetProperty("clients").GetRawText()),
            ["gc"] = session.GetProperty("gc").GetBoolean(),
            ["undo"] = undo.Count > 0 ? new JsonArray([.. undo.Select(root => (JsonNode)root)]) : null,
            ["steps"] = JsonNode.Parse(session.GetProperty("steps").GetRawText()),
        });
        var updates = answer["updates"]!.AsArray().Select(step => step!.AsArray().Select(update => (string)update!["v1"]!).ToArray());
        return ([.. updates], [.. answer["dumps"]!.AsArray().Select(dump => (string)dump!)]);
    }

    /// <summary>Any request, see <c>tests/oracle</c>.</summary>
    internal async Task<JsonNode> AskAsync(JsonObject request)
    {
        var answer = JsonNode.Parse(await AskForLineAsync(request))!;
        if (answer["error"] is { } error)
            throw new InvalidOperationException($"The oracle failed: {error}");
        return answer;
    }

    private async Task<string> AskForLineAsync(JsonObject request)
    {
        await _node!.StandardInput.WriteLineAsync(request.ToJsonString());
        await _node.StandardInput.FlushAsync();
        return await _node.StandardOutput.ReadLineAsync().WaitAsync(AnswerTimeout)
            ?? throw new InvalidOperationException("The oracle has ended. Is Node 20 or later installed?");
    }

    private static async Task InstallAsync()
    {
        await Installing.WaitAsync();
        try
        {
            if (Directory.Exists(Path.Combine(Folder(), "node_modules", "yjs")))
                return;
            using var npm = Start("npm", "ci");
            npm.StandardInput.Close();
            var output = await npm.StandardOutput.ReadToEndAsync();
            await npm.WaitForExitAsync();
            if (npm.ExitCode != 0)
                throw new InvalidOperationException($"npm ci failed in tests/oracle: {output}");
        }
        finally
        {
            Installing.Release();
        }
    }

    private static Process Start(string program, string argument) => Process.Start(new ProcessStartInfo(program, argument)
    {
        WorkingDirectory = Folder(),
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
    })!;

    internal static JsonArray Encode(IEnumerable<ReadOnlyMemory<byte>> updates) =>
        [.. updates.Select(update => (JsonNode)Convert.ToBase64String(update.Span))];

    private static ReadOnlyMemory<byte>[] Decode(JsonNode array) => [.. array.AsArray().Select(item => (ReadOnlyMemory<byte>)Bytes(item))];

    internal static byte[] Bytes(JsonNode? node) => Convert.FromBase64String((string)node!);

    private static string Folder([CallerFilePath] string path = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "..", "..", "oracle"));
}

/// <summary>A random editing session: every update that its replicas emitted, in both formats, and their states at the end.</summary>
public sealed record Session(
    IReadOnlyList<ReadOnlyMemory<byte>> Updates, IReadOnlyList<ReadOnlyMemory<byte>> UpdatesV2, IReadOnlyList<ReadOnlyMemory<byte>> States)
{
    /// <summary>The clients that inserted something.</summary>
    public IEnumerable<ulong> Clients => StateVector.Decode(Crdt.Updates.StateVectorV1(Crdt.Updates.MergeV1(States))).Keys;
}

/// <summary>What yjs makes of some updates on bytes, and of the same in format v2, and that merge in format v1 again.</summary>
public sealed record Algebra(
    byte[] Merged, byte[] StateVector, byte[] Difference, byte[] MergedV2, byte[] StateVectorV2, byte[] DifferenceV2, byte[] BackToV1);

/// <summary>A yjs document: what a user sees, its state vector, its state as an update in both formats, whether it waits for something, and whether that could go on.</summary>
public sealed record Replica(string Dump, string StateVector, string State, string StateV2, bool Pending, bool Stalls);
