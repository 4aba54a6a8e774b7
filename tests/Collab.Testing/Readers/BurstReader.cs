using System.Net.WebSockets;
using System.Text;

namespace Collab.Testing.Readers;

/// <summary>
/// A member of a document that speaks the hub's JSON protocol by hand, counts marked updates as they arrive without keeping them, and
/// can stop reading on command while its connection stays open.
/// </summary>
public abstract class BurstReader : IAsyncDisposable
{
    private readonly MarkCounter _counter = new();
    private readonly CancellationTokenSource _stop = new();
    private TaskCompletionSource _mayRead = Completed();
    private Task _reading = Task.CompletedTask;
    private long _lastNews;

    protected BurstReader(Uri hub) => Hub = hub;

    /// <summary>How many updates have arrived.</summary>
    public int Count => _counter.Count;

    /// <summary>The longest time between two arrivals, in milliseconds.</summary>
    public long LongestPause { get; private set; }

    /// <summary>The server, or the network, has ended the connection.</summary>
    public bool IsClosed { get; private set; }

    protected Uri Hub { get; }

    protected CancellationToken Stopping => _stop.Token;

    /// <summary>Connects, joins the document and begins to read.</summary>
    public async Task JoinAsync(string document)
    {
        await ConnectAsync();
        await SendAsync("""{"protocol":"json","version":1}""" + "\u001e");
        await SendAsync($$"""{"type":1,"invocationId":"1","target":"JoinDocument","arguments":["{{document}}","AA=="]}""" + "\u001e");
        var joined = new TaskCompletionSource();
        _reading = ReadAllAsync(joined);
        await joined.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    /// <summary>From now on nothing is read; the connection stays open.</summary>
    public void Stall() => _mayRead = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Reads again.</summary>
    public void Resume() => _mayRead.TrySetResult();

    /// <summary>Pauses are measured from now on.</summary>
    public void BeginMeasuring()
    {
        LongestPause = 0;
        _lastNews = 0;
    }

    protected abstract Task ConnectAsync();

    protected abstract Task SendAsync(string message);

    /// <summary>Reads some bytes; 0 at the end of the connection.</summary>
    protected abstract ValueTask<int> ReadAsync(Memory<byte> buffer);

    protected abstract ValueTask CloseAsync();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Resume();
        await _reading;
        await CloseAsync();
        _stop.Dispose();
        GC.SuppressFinalize(this);
    }

    private async Task ReadAllAsync(TaskCompletionSource joined)
    {
        var buffer = new byte[64 * 1024];
        var head = new StringBuilder();
        try
        {
            while (true)
            {
                var read = await ReadAsync(buffer);
                if (read == 0)
                    break;
                if (!joined.Task.IsCompleted)
                {
                    head.Append(Encoding.UTF8.GetString(buffer, 0, read));
                    if (head.ToString().Contains("\"invocationId\":\"1\"", StringComparison.Ordinal))
                        joined.TrySetResult();
                }

                if (_counter.Add(buffer.AsSpan(0, read)))
                    NoteNews();
                await _mayRead.Task;
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or WebSocketException or IOException or HttpRequestException)
        {
            joined.TrySetException(exception);
        }

        IsClosed = true;
    }

    private void NoteNews()
    {
        var now = Environment.TickCount64;
        if (_lastNews != 0)
            LongestPause = Math.Max(LongestPause, now - _lastNews);
        _lastNews = now;
    }

    private static TaskCompletionSource Completed()
    {
        var completed = new TaskCompletionSource();
        completed.SetResult();
        return completed;
    }
}
