using System.Diagnostics;
using System.Globalization;
using System.Text;
using Collab.Server.Rooms;
using Collab.Testing;

namespace Collab.Storage.Sqlite;

/// <summary>
/// A process that appends and compacts is killed at random moments, again and again on the same file: whatever it said was appended is
/// there. (The page cache outlives the process, so this does not show what a power cut does.)
/// </summary>
public sealed class SqliteCrashTests
{
    [Fact]
    public async Task What_was_acknowledged_before_a_kill_is_there()
    {
        using var folder = new DataFolder();
        var rounds = Environment.GetEnvironmentVariable("COLLAB_LONG") == "1" ? 200 : 20;
        var random = new Random();
        var acknowledged = new Dictionary<string, List<(long Offset, string Text)>>();
        for (var round = 0; round < rounds; round++)
        {
            var before = acknowledged.Values.Sum(texts => texts.Count);
            await RunAndKillAsync(folder.Path, round, TimeSpan.FromMilliseconds(random.Next(250)), acknowledged);
            Assert.True(acknowledged.Values.Sum(texts => texts.Count) > before, "the writer must have appended something");

            await using var log = folder.Open();
            await log.CheckAsync(default);
            foreach (var (room, appended) in acknowledged)
            {
                var page = await log.ReadAll(new RoomKey(RoomKind.Document, room));
                var texts = Texts(page);
                Assert.Equal(page.Head, texts.Count);
                Assert.Equal(texts.Count, texts.Distinct().Count());
                Assert.All(appended, one => Assert.Equal(one.Text, texts[(int)one.Offset - 1]));
            }
        }
    }

    private static async Task RunAndKillAsync(
        string folder, int round, TimeSpan life, Dictionary<string, List<(long Offset, string Text)>> acknowledged)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Collab.Storage.CrashWriter.dll");
        using var writer = Process.Start(new ProcessStartInfo("dotnet")
        {
            ArgumentList = { program, folder, round.ToString(CultureInfo.InvariantCulture) },
            RedirectStandardOutput = true,
        })!;
        try
        {
            var killed = false;
            Task? killing = null;
            while (await writer.StandardOutput.ReadLineAsync() is { } line)
            {
                // The moment counts from the first entry, not from the start of the process.
                killing ??= Task.Delay(life).ContinueWith(_ => { killed = true; writer.Kill(); }, TaskScheduler.Default);
                if (line.Split(' ') is [var room, var offset, var text, "."])
                {
                    if (!acknowledged.TryGetValue(room, out var texts))
                        acknowledged[room] = texts = [];
                    texts.Add((long.Parse(offset, CultureInfo.InvariantCulture), text));
                }
            }

            await (killing ?? Task.CompletedTask);
            Assert.True(killed, "the writer ended by itself");
        }
        finally
        {
            if (!writer.HasExited)
                writer.Kill();
            await writer.WaitForExitAsync();
        }
    }

    private static List<string> Texts(LogPage page) =>
    [
        .. page.Snapshot is { } snapshot ? Encoding.UTF8.GetString(snapshot.Data.Span).Split('\n') : [],
        .. page.Entries.Select(entry => Encoding.UTF8.GetString(entry.Data.Span)),
    ];
}
