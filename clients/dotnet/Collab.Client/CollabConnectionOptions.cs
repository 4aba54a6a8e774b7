using Microsoft.Extensions.Logging;

namespace Collab.Client;

/// <summary>Settings of a <see cref="CollabConnection"/>.</summary>
public sealed class CollabConnectionOptions
{
    /// <summary>
    /// Gives the bearer token: called for each connection, and before a token expires. It should give a fresh one each time. The token
    /// travels in headers alone. Null: the caller is nobody, or signed in by what <see cref="HttpMessageHandlerFactory"/> adds.
    /// </summary>
    public Func<CancellationToken, Task<string>>? AccessTokenFactory { get; set; }

    /// <summary>The only transport to use. Null, the default: WebSockets, else server-sent events, else long polling.</summary>
    public Transport? Transport { get; set; }

    /// <summary>Whether messages travel as JSON also where the transport would let MessagePack through. Default false.</summary>
    public bool UseJson { get; set; }

    /// <summary>Whether to connect at once. Default true.</summary>
    public bool Connect { get; set; } = true;

    /// <summary>The first ceiling of the random wait between attempts, which doubles with each. Default 100 ms.</summary>
    public TimeSpan MinimumBackoff { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The last ceiling of the random wait between attempts. Default 10 s.</summary>
    public TimeSpan MaximumBackoff { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long one attempt over one transport may take. Default 10 s.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How many messages may wait to be published in one channel. Default 1,000.</summary>
    public int PublishQueue { get; set; } = 1_000;

    /// <summary>Wraps or replaces what sends HTTP requests, for proxies, cookies and certificates.</summary>
    public Func<HttpMessageHandler, HttpMessageHandler>? HttpMessageHandlerFactory { get; set; }

    /// <summary>Where SignalR and the client log. Neither tokens nor content are logged. Default: nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>
    /// Where handlers are called and documents are changed. Default: the <see cref="SynchronizationContext"/> on which the connection is
    /// made, such as a window's thread; where there is none, the thread pool, one thing after the other.
    /// </summary>
    public SynchronizationContext? Callbacks { get; set; }
}

/// <summary>Whether there is a connection.</summary>
public enum CollabStatus
{
    /// <summary>Waiting for the next attempt, or not wanted.</summary>
    Disconnected,

    /// <summary>An attempt is under way.</summary>
    Connecting,

    /// <summary>Connected.</summary>
    Connected,
}
