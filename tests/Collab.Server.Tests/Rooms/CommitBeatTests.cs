using System.Diagnostics;

namespace Collab.Server.Rooms;

/// <summary>What is to be committed to a room gathers while a beat lasts, and only then.</summary>
public sealed class CommitBeatTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    private readonly List<(int[] Items, long At)> _commits = [];
    private TaskCompletionSource _store = Completed();

    [Fact]
    public void The_first_is_committed_at_once_and_nothing_is_under_way_after_it()
    {
        var beat = Create(Long);

        Assert.True(beat.TryAdd(1, bytes: 1));

        Assert.Equal([[1]], Commits());
        Assert.True(beat.IsIdle);
    }

    [Fact]
    public async Task Who_comes_within_the_beat_waits_for_its_end_with_all_the_others()
    {
        var beat = Create(TimeSpan.FromMilliseconds(200));
        beat.TryAdd(1, bytes: 1);
        beat.TryAdd(2, bytes: 1);
        beat.TryAdd(3, bytes: 1);
        Assert.False(beat.IsIdle);

        await UntilIdleAsync(beat);

        Assert.Equal([[1], [2, 3]], Commits());
        // A timer may come a little early.
        Assert.True(Stopwatch.GetElapsedTime(_commits[0].At, _commits[1].At) > TimeSpan.FromMilliseconds(180));
    }

    [Fact]
    public async Task Who_comes_during_a_commit_is_in_the_next_one()
    {
        _store = new TaskCompletionSource();
        var beat = Create(TimeSpan.Zero);
        beat.TryAdd(1, bytes: 1);
        beat.TryAdd(2, bytes: 1);
        Assert.Equal([[1]], Commits());

        _store.SetResult();
        await UntilIdleAsync(beat);

        Assert.Equal([[1], [2]], Commits());
    }

    [Fact]
    public async Task A_commit_takes_no_more_than_it_may_and_the_rest_follows()
    {
        _store = new TaskCompletionSource();
        var beat = Create(TimeSpan.Zero);
        for (var i = 0; i < 6; i++)
            beat.TryAdd(i, bytes: 1);

        _store.SetResult();
        await UntilIdleAsync(beat);

        Assert.Equal([[0], [1, 2, 3], [4, 5]], Commits());
    }

    [Fact]
    public void What_is_too_much_to_wait_is_not_taken_but_one_item_always_is()
    {
        _store = new TaskCompletionSource();
        var beat = Create(TimeSpan.Zero);
        beat.TryAdd(1, bytes: 1);

        Assert.Equal([true, false, false], new[] { beat.TryAdd(2, bytes: 500), beat.TryAdd(3, bytes: 1), beat.TryAdd(4, bytes: 100) });
    }

    private CommitBeat<int> Create(TimeSpan beat) => new(() => beat, maxItems: 3, maxPendingBytes: 100, async batch =>
    {
        _commits.Add(([.. batch], Stopwatch.GetTimestamp()));
        await _store.Task;
    });

    private int[][] Commits() => [.. _commits.Select(commit => commit.Items)];

    private static async Task UntilIdleAsync(CommitBeat<int> beat)
    {
        for (var left = 2_000; !beat.IsIdle; left--)
        {
            Assert.NotEqual(0, left);
            await Task.Delay(10);
        }
    }

    private static TaskCompletionSource Completed()
    {
        var completed = new TaskCompletionSource();
        completed.SetResult();
        return completed;
    }
}
