using System.Collections.Concurrent;
using Collab.Testing;
using Collab.Testing.Proxies;

namespace Collab.Client.Tests.Connecting;

/// <summary>A connection comes back by itself, signs in anew, and calls handlers where its maker is.</summary>
public sealed class CollabConnectionTests(ClientServer server) : IClassFixture<ClientServer>
{
    [Fact]
    public async Task It_waits_for_a_server_that_is_not_there_yet()
    {
        await using var network = new TcpRelay(TcpRelay.FreePort());
        await using var one = server.Connect(url: network.Url);
        var failures = new ConcurrentQueue<string>();
        one.Failed += (_, failure) => failures.Enqueue(failure.Code);
        await Eventually.IsTrueAsync(() => failures.Count > 3);

        network.Target = new Uri(server.Url).Port;

        await Eventually.IsTrueAsync(() => one.Status == CollabStatus.Connected);
        Assert.All(failures, code => Assert.Equal(ClientErrorCodes.Unreachable, code));
    }

    [Fact]
    public async Task Without_a_good_token_it_says_so_and_tries_again()
    {
        var token = "";
        var failures = new ConcurrentQueue<string>();
        await using var one = server.Connect(configure: options =>
        {
            options.Connect = false;
            options.AccessTokenFactory = _ => token.Length > 0 ? Task.FromResult(token) : throw new InvalidOperationException("not signed in");
        });
        one.Failed += (_, failure) => failures.Enqueue(failure.Code);
        one.Connect();
        await Eventually.IsTrueAsync(() => failures.Count > 2);

        token = ClientServer.TokenOf("ada");

        await Eventually.IsTrueAsync(() => one.Status == CollabStatus.Connected);
        Assert.All(failures, code => Assert.Equal(ClientErrorCodes.Unauthorized, code));
    }

    [Fact]
    public async Task It_renews_its_token_before_that_expires()
    {
        var tokens = 0;
        await using var one = server.Connect(configure: options => options.AccessTokenFactory = _ =>
        {
            tokens++;
            return Task.FromResult(ClientServer.TokenOf("ada", expires: DateTimeOffset.UtcNow.AddSeconds(2)));
        });
        await Eventually.IsTrueAsync(() => one.Status == CollabStatus.Connected);
        var ends = 0;
        one.StatusChanged += (_, _) => ends++;

        await Task.Delay(5_000);

        Assert.Equal(0, ends);
        Assert.True(tokens > 3, $"{tokens} tokens");
    }

    [Fact]
    public async Task Handlers_are_called_on_the_thread_of_who_made_the_connection()
    {
        using var window = new WindowThread();
        var name = ClientServer.NewName();
        var threads = new ConcurrentBag<int>();
        await using var other = server.Connect("ben");
        var theirs = other.OpenDocument(name);
        await theirs.WhenSyncedAsync().SoonAsync();
        SharedDocument? mine = null;
        CollabConnection? one = null;
        window.Run(() =>
        {
            one = new CollabConnection(new Uri(server.Url + "/hubs/collab"), new CollabConnectionOptions { AccessTokenFactory = _ => Task.FromResult(ClientServer.TokenOf("ada")) });
            one.StatusChanged += (_, _) => threads.Add(Environment.CurrentManagedThreadId);
            mine = one.OpenDocument(name);
            mine.PropertyChanged += (_, _) => threads.Add(Environment.CurrentManagedThreadId);
            mine.AwarenessChanged += (_, _) => threads.Add(Environment.CurrentManagedThreadId);
            mine.Doc.GetText("text").Observe(_ => threads.Add(Environment.CurrentManagedThreadId));
            one.Channel(name).Subscribe(_ => threads.Add(Environment.CurrentManagedThreadId));
        });
        await mine!.WhenSyncedAsync().SoonAsync();

        theirs.Edit(doc => doc.GetText("text").Insert(0, "hello"));
        await other.Channel(name).PublishAsync("n", 1).SoonAsync();
        mine.Edit(doc => doc.GetText("text").Insert(0, "x"));

        await Eventually.IsTrueAsync(() => mine.Read(doc => doc.GetText("text").Length) == 6);
        await mine.WhenAcknowledgedAsync().SoonAsync();
        Assert.True(threads.Count > 5);
        Assert.All(threads, thread => Assert.Equal(window.ThreadId, thread));
        await one!.DisposeAsync();
    }

    [Fact]
    public async Task A_window_that_edits_the_document_itself_is_never_in_its_own_way()
    {
        using var window = new WindowThread();
        var name = ClientServer.NewName();
        await using var other = server.Connect("ben");
        var theirs = other.OpenDocument(name);
        SharedDocument? mine = null;
        CollabConnection? one = null;
        window.Run(() =>
        {
            one = new CollabConnection(new Uri(server.Url + "/hubs/collab"), new CollabConnectionOptions { AccessTokenFactory = _ => Task.FromResult(ClientServer.TokenOf("ada")) });
            mine = one.OpenDocument(name);
        });

        for (var i = 0; i < 200; i++)
        {
            window.Run(() => mine!.Doc.GetText("text").Insert(0, "m"));
            theirs.Edit(doc => doc.GetText("text").Insert(0, "t"));
        }

        await Eventually.IsTrueAsync(() => mine!.Read(doc => doc.GetText("text").Length) == 400 && theirs.Read(doc => doc.GetText("text").Length) == 400);
        await one!.DisposeAsync();
    }

    /// <summary>A thread with a queue of what is to be run on it, as that of a window.</summary>
    private sealed class WindowThread : SynchronizationContext, IDisposable
    {
        private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> _queue = [];
        private readonly Thread _thread;

        public WindowThread()
        {
            _thread = new Thread(() =>
            {
                SetSynchronizationContext(this);
                foreach (var (callback, state) in _queue.GetConsumingEnumerable())
                    callback(state);
            });
            _thread.Start();
        }

        public int ThreadId => _thread.ManagedThreadId;

        public override void Post(SendOrPostCallback d, object? state) => _queue.Add((d, state));

        public override void Send(SendOrPostCallback d, object? state)
        {
            if (Environment.CurrentManagedThreadId == ThreadId)
            {
                d(state);
                return;
            }
            using var done = new ManualResetEventSlim();
            Exception? failure = null;
            _queue.Add((_ =>
            {
                try
                {
                    d(state);
                }
                catch (Exception exception)
                {
                    failure = exception;
                }
                done.Set();
            }, null));
            done.Wait();
            if (failure is not null)
                throw failure;
        }

        public void Run(Action action) => Send(_ => action(), null);

        public void Dispose()
        {
            _queue.CompleteAdding();
            _thread.Join();
            _queue.Dispose();
        }
    }
}
