using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Collab.Testing.Events;

namespace Collab.Webhooks;

/// <summary>The npm package <c>standardwebhooks</c> in a Node process (<c>tests/oracle/webhooks.mjs</c>), and Node's cryptography for ed25519.</summary>
internal static class SignatureJudge
{
    /// <summary>Judges requests, each with the key that a receiver would use.</summary>
    /// <returns>For each <c>accepted</c>, or why it is refused.</returns>
    public static async Task<string[]> JudgeAsync(params IReadOnlyList<(string Key, ReceivedRequest Request)> requests)
    {
        using var node = Process.Start(new ProcessStartInfo("node", "webhooks.mjs")
        {
            WorkingDirectory = Folder(),
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        foreach (var (key, request) in requests)
            await node.StandardInput.WriteLineAsync(JsonSerializer.Serialize(new { key, headers = request.Headers, body = request.Body }));
        node.StandardInput.Close();
        var answers = new List<string>();
        while (await node.StandardOutput.ReadLineAsync() is { } line)
            answers.Add(JsonSerializer.Deserialize<string>(line)!);
        await node.WaitForExitAsync();
        Assert.Equal(requests.Count, answers.Count);
        return [.. answers];
    }

    private static string Folder([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "../oracle");
}
