using System.Text.RegularExpressions;
using Collab.Protocol;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Collab.Client;

/// <summary>One open SignalR connection, from its start to its end. It does not reconnect.</summary>
internal sealed partial class HubSession : IAsyncDisposable
{
    // How long the end of a connection is awaited before the next one is opened.
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(1);

    private readonly HubConnection _hub;
    private readonly TaskCompletionSource<Exception?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _ending = new();

    private HubSession(HubConnection hub, Transport transport, bool isJson, IHubListener listener)
    {
        _hub = hub;
        Transport = transport;
        IsJson = isJson;
        // What a handler throws is the end of that message alone; so listeners post.
        On<string, byte[], string>(HubContract.DocumentUpdated, listener.DocumentUpdated);
        On<string, byte[]>(HubContract.AwarenessUpdated, listener.AwarenessUpdated);
        On<string, string>(HubContract.DocumentClosed, listener.DocumentClosed);
        On<string, ChannelMessage>(HubContract.MessageReceived, listener.MessageReceived);
        On<string, MembersChanged>(HubContract.MembersChanged, listener.MembersChanged);
        On<string, string>(HubContract.ChannelAdvanced, listener.ChannelAdvanced);
        On<string, string>(HubContract.ChannelClosed, listener.ChannelClosed);
        hub.Closed += error =>
        {
            Finish(error);
            return Task.CompletedTask;
        };
    }

    public Transport Transport { get; }

    public bool IsJson { get; }

    /// <summary>Completes when the session is over, with the error that ended it if there was one: from then on it delivers nothing.</summary>
    public Task<Exception?> Ended => _ended.Task;

    /// <summary>Cancelled when the session is over.</summary>
    public CancellationToken Ending => _ending.Token;

    /// <summary>Opens a connection.</summary>
    /// <param name="url">The hub's address, with the session's name.</param>
    /// <exception cref="CollabException"><c>unauthorized</c> or <c>unreachable</c>; also when cancelled, or when opening takes too long.</exception>
    public static async Task<HubSession> OpenAsync(
        Uri url, Transport transport, CollabConnectionOptions options, IHubListener listener, CancellationToken cancellationToken)
    {
        // Server-sent events are text, which MessagePack cannot be.
        var isJson = options.UseJson || transport == Transport.ServerSentEvents;
        var session = new HubSession(Build(url, transport, isJson, options), transport, isJson, listener);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        giveUp.CancelAfter(options.ConnectTimeout);
        try
        {
            await session._hub.StartAsync(giveUp.Token).WaitAsync(giveUp.Token).ConfigureAwait(false);
            return session;
        }
        catch (Exception exception)
        {
            _ = session.DisposeAsync().AsTask();
            var text = exception is OperationCanceledException
                ? cancellationToken.IsCancellationRequested ? "the attempt was given up." : $"no answer in {options.ConnectTimeout.TotalSeconds} s."
                : exception.Message;
            var code = exception is TokenException || Refusal().IsMatch(text) ? ClientErrorCodes.Unauthorized : ClientErrorCodes.Unreachable;
            throw new CollabException(code, $"Cannot connect to {url.GetLeftPart(UriPartial.Path)} over {transport}: {text}", exception);
        }
    }

    /// <summary>Calls a hub method.</summary>
    /// <typeparam name="T">What it returns: a type of the contract; <see cref="object"/> for nothing.</typeparam>
    /// <exception cref="CollabException">The server's; <c>disconnected</c> when the connection ended before the answer.</exception>
    public async Task<T> CallAsync<T>(string method, params object?[] arguments)
    {
        if (_ending.IsCancellationRequested)
            throw new CollabException(ClientErrorCodes.Disconnected, $"{method}: the connection has ended.");
        try
        {
            return (T)(await _hub.InvokeCoreAsync(method, typeof(T), arguments, Ending).ConfigureAwait(false))!;
        }
        catch (HubException exception) when (ServerError(exception) is { } answer)
        {
            throw answer;
        }
        catch (Exception exception)
        {
            // A request that failed on the way may have been lost, and what was sent after it not: begin again with a new connection.
            _ = DisposeAsync().AsTask();
            throw new CollabException(ClientErrorCodes.Disconnected, $"{method}: the connection ended before the server answered.", exception);
        }
    }

    /// <summary>Ends the session at once, and waits for a while until the connection below is closed too.</summary>
    public async ValueTask DisposeAsync()
    {
        Finish(null);
        try
        {
            await _hub.DisposeAsync().AsTask().WaitAsync(StopTimeout).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // It is of no use any more, however it ends.
        }
    }

    private static HubConnection Build(Uri url, Transport transport, bool isJson, CollabConnectionOptions options)
    {
        var builder = new HubConnectionBuilder().WithUrl(url, http =>
        {
            http.Transports = TransportChoice.TypeOf(transport);
            // Saves a round trip, and works behind balancers that send each request to another node.
            http.SkipNegotiation = transport == Transport.WebSockets;
            if (options.AccessTokenFactory is { } factory)
                http.AccessTokenProvider = () => TokenException.FetchAsync(factory)!;
            if (options.HttpMessageHandlerFactory is { } wrap)
                http.HttpMessageHandlerFactory = wrap;
        });
        builder.WithServerTimeout(TimeSpan.FromSeconds(30)).WithKeepAliveInterval(TimeSpan.FromSeconds(15));
        if (options.LoggerFactory is { } loggers)
            builder.Services.AddSingleton(loggers);
        if (isJson)
            builder.AddJsonProtocol(json => json.PayloadSerializerOptions.TypeInfoResolver = ContractJson.Default);
        else
            builder.Services.Replace(ServiceDescriptor.Singleton<IHubProtocol>(new MessagePackContract()));
        return builder.Build();
    }

    private void Finish(Exception? error)
    {
        if (_ended.TrySetResult(error))
            _ending.Cancel();
    }

    private void On<T1, T2>(string method, Action<T1, T2> handler) =>
        On(method, [typeof(T1), typeof(T2)], arguments => handler((T1)arguments[0]!, (T2)arguments[1]!));

    private void On<T1, T2, T3>(string method, Action<T1, T2, T3> handler) =>
        On(method, [typeof(T1), typeof(T2), typeof(T3)], arguments => handler((T1)arguments[0]!, (T2)arguments[1]!, (T3)arguments[2]!));

    private void On(string method, Type[] types, Action<object?[]> handler) => _hub.On(
        method,
        types,
        (arguments, _) =>
        {
            if (!_ending.IsCancellationRequested)
                handler(arguments);
            return Task.CompletedTask;
        },
        state: this);

    // "An unexpected error occurred invoking 'PushUpdate' on the server. HubException: invalid_update: text".
    private static CollabException? ServerError(HubException exception)
    {
        var text = exception.Message;
        if (CodedError().Match(text) is { Success: true } coded)
            return new CollabException(coded.Groups[1].Value, coded.Groups[2].Value, exception);
        if (text.Contains("because user is unauthorized", StringComparison.Ordinal))
            return new CollabException(ErrorCodes.Forbidden, text, exception);
        return text.Contains("HubException: ", StringComparison.Ordinal) || Invoking().IsMatch(text)
            ? new CollabException(ClientErrorCodes.Internal, text, exception)
            : null;
    }

    [GeneratedRegex(@"\b(401|403)\b|Unauthorized|Forbidden")]
    private static partial Regex Refusal();

    [GeneratedRegex(@"HubException: ([a-z][a-z0-9_]*): ([\s\S]*)$")]
    private static partial Regex CodedError();

    [GeneratedRegex("^(An unexpected error occurred invoking|Failed to invoke) '")]
    private static partial Regex Invoking();
}

/// <summary>What hears what the server sends of its own accord, on the thread that reads the connection.</summary>
internal interface IHubListener
{
    void DocumentUpdated(string documentId, byte[] update, string position);

    void AwarenessUpdated(string documentId, byte[] awareness);

    void DocumentClosed(string documentId, string reason);

    void MessageReceived(string channel, ChannelMessage message);

    void MembersChanged(string channel, MembersChanged change);

    void ChannelAdvanced(string channel, string position);

    void ChannelClosed(string channel, string reason);
}

/// <summary>The program has no token to give.</summary>
/// <param name="inner">What its factory threw.</param>
internal sealed class TokenException(Exception inner) : Exception($"There is no token: {inner.Message}", inner)
{
    public static async Task<string> FetchAsync(Func<CancellationToken, Task<string>> factory, CancellationToken cancellationToken = default)
    {
        try
        {
            return await factory(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            throw new TokenException(exception);
        }
    }
}
