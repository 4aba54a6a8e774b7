using System.Globalization;
using System.Text.Json;
using Collab.Protocol;
using Collab.Testing;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Host.Tests.Channels;

/// <summary>One who follows a channel from its beginning, in one of the ways there are, and comes back whenever he is cut off.</summary>
internal abstract class ChannelReader(string url, string channel)
{
    private readonly List<(long Offset, string Data)> _messages = [];

    protected string Url => url;

    protected string Channel => channel;

    /// <summary>The position of the last message that he has; null before the first.</summary>
    protected string? Last { get; private set; }

    /// <summary>How often he has connected; of polls each that follows a failed one.</summary>
    public int Connects { get; protected set; }

    /// <summary>Whether he was ever told that something is lost.</summary>
    public bool WasToldOfLoss { get; protected set; }

    /// <summary>The messages that he has been given, in the order in which they came.</summary>
    public (long Offset, string Data)[] Messages
    {
        get
        {
            lock (_messages)
                return [.. _messages];
        }
    }

    public abstract Task RunAsync(CancellationToken stop);

    protected void Take(string position, string data)
    {
        Assert.True(Position.TryParse(position, out var parsed));
        lock (_messages)
            _messages.Add((parsed.Offset, data));
        Last = position;
    }

    protected void Take(JsonElement message) =>
        Take(message.GetProperty("position").GetString()!, message.GetProperty("data").GetString()!);

    /// <summary>Does it again and again, with a short pause after a failure.</summary>
    protected static async Task AgainAsync(Func<Task> action, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await action();
            }
            catch (Exception exception) when (exception is not Xunit.Sdk.XunitException)
            {
                // Cut off, or the server is not there.
                await Task.WhenAny(Task.Delay(100, CancellationToken.None), Task.Delay(-1, stop));
            }
        }
    }
}

/// <summary>A SignalR client.</summary>
internal sealed class HubReader(string url, string channel, HttpTransportType transport, bool messagePack) : ChannelReader(url, channel)
{
    private readonly Lock _gate = new();
    private readonly List<ChannelMessage> _early = [];
    private int _ready;
    private int _connection;

    public override Task RunAsync(CancellationToken stop) => AgainAsync(() => FollowAsync(stop), stop);

    private async Task FollowAsync(CancellationToken stop)
    {
        var number = Interlocked.Increment(ref _connection);
        var closed = new TaskCompletionSource();
        var builder = new HubConnectionBuilder().WithUrl(Url + HubContract.Path, options => options.Transports = transport);
        if (messagePack)
            builder.AddMessagePackProtocol();
        await using var connection = builder.Build();
        connection.Closed += _ =>
        {
            closed.TrySetResult();
            return Task.CompletedTask;
        };
        connection.On<string, ChannelMessage>(HubContract.MessageReceived, (_, message) => TakeLive(number, message));
        await connection.StartAsync(stop);
        var subscribed = await connection.InvokeAsync<SubscribedChannel>(
            "Subscribe", Channel, new SubscribeOptions { After = Last, Rewind = Last is null ? 1000 : null }, stop);
        lock (closed)
            Connects++;
        WasToldOfLoss |= !subscribed.Recovered;
        lock (_gate)
        {
            foreach (var message in subscribed.Messages)
                Take(message.Position, $"{message.Data}");
            _ready = number;
            foreach (var message in _early)
                Take(message.Position, $"{message.Data}");
            _early.Clear();
        }

        await Task.WhenAny(closed.Task, Task.Delay(-1, stop));
        lock (_gate)
            _ready = 0;
    }

    // The handler may run before the caller of Subscribe goes on with the answer, which came first.
    private void TakeLive(int number, ChannelMessage message)
    {
        lock (_gate)
        {
            if (_ready == number)
                Take(message.Position, $"{message.Data}");
            else if (number == Volatile.Read(ref _connection))
                _early.Add(message);
        }
    }
}

/// <summary>A browser's own EventSource.</summary>
internal sealed class EventStreamReader(string url, string channel) : ChannelReader(url, channel)
{
    public override async Task RunAsync(CancellationToken stop)
    {
        await using var stream = new EventSourceReader(() => $"{Url}/channels/{Uri.EscapeDataString(Channel)}/events?rewind=1000", "");
        var taken = 0;
        while (!stop.IsCancellationRequested)
        {
            foreach (var (id, name, data) in stream.Events.Skip(taken).ToArray())
            {
                taken++;
                WasToldOfLoss |= name == "collab:gap";
                using var message = JsonDocument.Parse(data);
                Assert.Equal(id, message.RootElement.GetProperty("position").GetString());
                Take(message.RootElement);
            }

            Connects = stream.Opened;
            Assert.Null(stream.EndedBy);
            await Task.WhenAny(Task.Delay(20, CancellationToken.None), Task.Delay(-1, stop));
        }
    }
}

/// <summary>Polls, long or short.</summary>
internal sealed class PollReader(string url, string channel, int waitSeconds) : ChannelReader(url, channel)
{
    public override async Task RunAsync(CancellationToken stop)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(60) };
        var after = "";
        await AgainAsync(
            async () =>
            {
                Connects++;
                while (!stop.IsCancellationRequested)
                {
                    var wait = waitSeconds.ToString(CultureInfo.InvariantCulture);
                    var address = $"{Url}/channels/{Uri.EscapeDataString(Channel)}/messages?wait={wait}&limit=1000{after}";
                    using var page = JsonDocument.Parse(await http.GetStringAsync(new Uri(address), stop));
                    WasToldOfLoss |= !page.RootElement.GetProperty("recovered").GetBoolean();
                    foreach (var message in page.RootElement.GetProperty("messages").EnumerateArray())
                        Take(message);
                    after = "&after=" + page.RootElement.GetProperty("position").GetString();
                    if (waitSeconds == 0)
                        await Task.Delay(100, stop);
                }
            },
            stop);
    }
}
