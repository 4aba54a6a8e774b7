using System.Net.Http.Json;
using System.Text.Json;
using Collab.Testing;
using Collab.Testing.Servers;

namespace Collab.Host.Tests.Events;

/// <summary>The ready-made server between buses, by settings alone.</summary>
public sealed class BusTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private RedisServer _redis = null!;

    public async Task InitializeAsync() => _redis = await RedisServer.StartAsync();

    public async Task DisposeAsync() => await _redis.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_happens_in_channels_is_in_the_stream_that_the_settings_name_also_what_happened_while_Redis_was_away()
    {
        await using var host = await HostProcess.Launch(_folder.Path, settings:
        [
            ("Collab__Events__RedisStreams__0__Name", "audit"),
            ("Collab__Events__RedisStreams__0__Connection", $"{_redis.ConnectionString},connectTimeout=500"),
            ("Collab__Events__RedisStreams__0__Stream", "audit"),
            ("Collab__Events__RedisStreams__0__Events__0", "channel.published"),
            ("Collab__Events__RedisStreams__0__Rooms__0", "chat"),
        ]).ReadyAsync();
        await _redis.KillAsync();
        await PublishAsync(host, "chat", "one");
        await PublishAsync(host, "other", "nobody is told");
        await _redis.StartAgainAsync();
        await PublishAsync(host, "chat", "two");

        await UntilAsync(async () => await _redis.CallAsync("XLEN", "audit") is "2");

        var data = (await _redis.CallAsync("XRANGE", "audit", "-", "+")).Split('\n').Where(line => line.StartsWith('{')).Select(line => JsonElement.Parse(line));
        Assert.Equal(
            [("channels/chat", "one"), ("channels/chat", "two")],
            data.Select(one => (one.GetProperty("subject").GetString(), one.GetProperty("data").GetProperty("messages")[0].GetProperty("data").GetString())));
    }

    [Fact]
    public async Task A_server_that_is_killed_again_and_again_while_it_reads_a_stream_has_each_entry_once_and_in_order()
    {
        const int Entries = 4_000;
        // Written by Redis itself, all at once.
        await _redis.CallAsync("EVAL", $"for i = 1, {Entries} do redis.call('XADD', 'orders', '*', 'data', i) end", "0");
        for (var kill = 1; kill <= 2; kill++)
        {
            await using var killed = await LaunchAsync();
            await UntilAsync(async () => await AcknowledgedAsync() >= kill * 1_000);
            await killed.KillAsync();
        }

        await using var host = await LaunchAsync();
        await UntilAsync(async () => await AcknowledgedAsync() == Entries);

        Assert.Equal(Enumerable.Range(1, Entries), await ReadAsync(host));

        Task<HostProcess> LaunchAsync() => HostProcess.Launch(_folder.Path, settings:
        [
            ("Collab__Consumers__RedisStreams__0__Name", "orders"),
            ("Collab__Consumers__RedisStreams__0__Connection", _redis.ConnectionString),
            ("Collab__Consumers__RedisStreams__0__Stream", "orders"),
            ("Collab__Consumers__RedisStreams__0__Channel", "orders"),
            ("Collab__Consumers__RedisStreams__0__Batch", "10"),
            ("Collab__Consumers__RedisStreams__0__LeaseSeconds", "1"),
        ]).ReadyAsync();
    }

    private async Task<long> AcknowledgedAsync()
    {
        // Read minus not acknowledged.
        var group = (await _redis.CallAsync("XINFO", "GROUPS", "orders")).Split('\n');
        return group.Length < 10 ? 0 : Number("entries-read") - Number("pending");

        long Number(string name) => long.TryParse(group[Array.IndexOf(group, name) + 1], out var number) ? number : 0;
    }

    private static async Task<List<int>> ReadAsync(HostProcess host)
    {
        using var http = new HttpClient();
        var all = new List<int>();
        for (var after = (string?)null; ;)
        {
            var page = await http.GetFromJsonAsync<JsonElement>(new Uri($"{host.Url}/channels/orders/messages?wait=0&limit=1000&after={after ?? await FirstAsync(http, host)}"));
            if (page.GetProperty("messages").GetArrayLength() == 0)
                return all;
            all.AddRange(page.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("data").GetInt32()));
            after = page.GetProperty("position").GetString();
        }
    }

    // The position before the first message: of the same log, at offset 0.
    private static async Task<string> FirstAsync(HttpClient http, HostProcess host)
    {
        var newest = await http.GetFromJsonAsync<JsonElement>(new Uri($"{host.Url}/channels/orders/messages?wait=0&limit=1"));
        return $"{newest.GetProperty("position").GetString()!.Split('-')[0]}-0";
    }

    private static async Task PublishAsync(HostProcess host, string channel, string text)
    {
        using var http = new HttpClient();
        using var answer = await http.PostAsJsonAsync(new Uri($"{host.Url}/channels/{channel}/messages"), new { @event = "said", data = text });
        answer.EnsureSuccessStatusCode();
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        while (!await condition())
            await Task.Delay(20, patience.Token);
    }
}
