using System.Collections.Concurrent;
using System.Text.Json;
using Collab.Crdt;
using Collab.Protocol;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Testing;

/// <summary>A SignalR client that calls the documents' half of the hub and keeps what it is told.</summary>
public sealed class TestClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly SemaphoreSlim _news = new(0);

    public TestClient(HubConnection connection)
    {
        Connection = connection;
        connection.On<string, byte[], string>(HubContract.DocumentUpdated, (document, update, position) =>
        {
            Updates.Enqueue(new ReceivedUpdate(document, update, position));
            _news.Release();
        });
        connection.On<string, byte[]>(HubContract.AwarenessUpdated, (document, awareness) =>
        {
            Awareness.Enqueue((document, awareness));
            _news.Release();
        });
        connection.On<string, string>(HubContract.DocumentClosed, (document, reason) =>
        {
            ClosedDocuments.Enqueue((document, reason));
            _news.Release();
        });
        connection.Closed += exception =>
        {
            ClosedBy = exception;
            IsClosed = true;
            _news.Release();
            return Task.CompletedTask;
        };
    }

    public HubConnection Connection { get; }

    public ConcurrentQueue<ReceivedUpdate> Updates { get; } = new();

    public ConcurrentQueue<(string Document, byte[] Awareness)> Awareness { get; } = new();

    public ConcurrentQueue<(string Document, string Reason)> ClosedDocuments { get; } = new();

    /// <summary>SignalR's connection token, once it has negotiated.</summary>
    public string? Token { get; private set; }

    public bool IsClosed { get; private set; }

    /// <summary>What the connection broke on; null when it was closed in good order, or is open.</summary>
    public Exception? ClosedBy { get; private set; }

    /// <summary>Makes a client of the server at an address. It is not connected yet.</summary>
    /// <param name="url">The server's address.</param>
    /// <param name="authorization">The header <c>Authorization</c>, if any.</param>
    /// <param name="transport">The only transport to use.</param>
    /// <param name="messagePack">The hub protocol: MessagePack, else JSON.</param>
    /// <param name="session">The name of its session, if any.</param>
    public static TestClient Create(
        string url, string? authorization, HttpTransportType transport, bool messagePack, string? session = null)
    {
        TestClient? client = null;
        var builder = new HubConnectionBuilder().WithUrl(url + HubContract.Path + (session is null ? "" : "?session=" + session), options =>
        {
            options.Transports = transport;
            options.HttpMessageHandlerFactory = http => new NegotiationReader(http, token => client!.Token = token);
            if (authorization is not null)
                options.Headers["Authorization"] = authorization;
        });
        if (messagePack)
            builder.AddMessagePackProtocol();
        return client = new TestClient(builder.Build());
    }

    public Task<JoinedDocument> JoinAsync(string document, byte[]? stateVector = null) =>
        Connection.InvokeAsync<JoinedDocument>("JoinDocument", document, stateVector ?? StateVector.Empty.ToArray());

    public Task<string> PushAsync(string document, byte[] update) =>
        Connection.InvokeAsync<string>("PushUpdate", document, update);

    public Task<SyncedDocument> SyncAsync(string document, byte[]? stateVector = null) =>
        Connection.InvokeAsync<SyncedDocument>("SyncDocument", document, stateVector ?? StateVector.Empty.ToArray());

    public Task ShowAsync(string document, params AwarenessState[] states) =>
        Connection.InvokeAsync("PushAwareness", document, AwarenessUpdate.Encode(states));

    public Task LeaveAsync(string document) => Connection.InvokeAsync("LeaveDocument", document);

    /// <summary>Waits until what was received satisfies a condition.</summary>
    public async Task UntilAsync(Func<TestClient, bool> condition)
    {
        var deadline = DateTime.UtcNow + Patience;
        while (!condition(this))
        {
            if (!await _news.WaitAsync(deadline - DateTime.UtcNow is { Ticks: > 0 } left ? left : TimeSpan.Zero) && !condition(this))
                throw new TimeoutException($"It did not happen within {Patience.TotalSeconds} s.");
        }
    }

    /// <summary>Waits until so much of what a typist typed has arrived, together with what the join brought.</summary>
    public Task UntilReadAsync(Typist typist, uint length, JoinedDocument? joined = null) =>
        UntilAsync(client => typist.Read([joined?.Update ?? Crdt.Updates.EmptyV1.ToArray(), .. client.Updates.Select(update => update.Update)]) >= length);

    /// <summary>The stable code of the error that a call ends with.</summary>
    public static async Task<string> CodeOfAsync(Task call)
    {
        try
        {
            await call;
        }
        catch (HubException exception)
        {
            var message = exception.Message[(exception.Message.IndexOf("HubException: ", StringComparison.Ordinal) + 14)..];
            return message[..message.IndexOf(':', StringComparison.Ordinal)];
        }

        return "no error";
    }

    public ValueTask DisposeAsync()
    {
        _news.Dispose();
        return Connection.DisposeAsync();
    }
}

/// <summary>Reads the connection token from what the server answers to a negotiation.</summary>
internal sealed class NegotiationReader(HttpMessageHandler inner, Action<string> read) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var answer = await base.SendAsync(request, cancellationToken);
        if (answer.IsSuccessStatusCode && request.RequestUri!.AbsolutePath.EndsWith("/negotiate", StringComparison.Ordinal))
        {
            await answer.Content.LoadIntoBufferAsync(cancellationToken);
            using var negotiated = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(cancellationToken));
            read(negotiated.RootElement.GetProperty("connectionToken").GetString()!);
        }

        return answer;
    }
}

/// <summary>A <c>DocumentUpdated</c> message.</summary>
public sealed record ReceivedUpdate(string Document, byte[] Update, string Position);
