using System.Collections.Concurrent;
using System.Text;
using Collab.Crdt;
using Collab.Protocol;
using Collab.Server.Documents;
using Collab.Server.Limits;
using Collab.Server.Security;
using Microsoft.AspNetCore.Http;

namespace Collab.Server.Gateways.Hocuspocus;

/// <summary>
/// One WebSocket of a Hocuspocus client. Each message begins with an address: a document's name, or, of newer clients that have several
/// providers of one document, the name and a session. A document is entered by a token, and left without the others' noticing.
/// </summary>
/// <param name="context">The request with which it began.</param>
/// <param name="socket">The WebSocket.</param>
/// <param name="connections">Where the connections to documents begin.</param>
/// <param name="documents">The document service.</param>
/// <param name="requests">How much may be asked.</param>
/// <param name="signIn">Signs in the bearer of a token; null when it is none.</param>
/// <param name="limits">How much it may take up.</param>
/// <param name="clock">Tells when tokens expire.</param>
internal sealed class HocuspocusSession(
    HttpContext context,
    GatewaySocket socket,
    GatewayConnections connections,
    DocumentService documents,
    RequestRate requests,
    Func<string, Task<SignIn?>> signIn,
    LimitOptions limits,
    TimeProvider clock) : IAsyncDisposable
{
    private const byte Ping = 9;
    private const byte Pong = 10;
    private const byte Token = 0;
    private const byte Denied = 1;
    private const byte Authenticated = 2;
    private const int Reset = 4205;
    private const int MaxToken = 16 * 1024;
    private const int MaxTurnedAway = 1000;
    private const char SessionSeparator = '\0';

    /// <summary>How long before a token expires another one is asked for, if it is good for long.</summary>
    private static readonly TimeSpan AskAhead = TimeSpan.FromSeconds(30);

    // A timer has no longer times than some weeks.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly GatewayFormat Format = new("hocuspocus", GatewayMessage.Text, stateless: StatelessOf);

    private readonly ConcurrentDictionary<string, HocuspocusDocument> _open = new(StringComparer.Ordinal);
    // Addresses whose client was turned away: what he had sent already is passed over until he comes with another token.
    private readonly HashSet<string> _turnedAway = new(StringComparer.Ordinal);
    private volatile bool _wasEntered;
    private readonly Lock _scheduling = new();
    private ITimer? _tokenTimer;

    /// <summary>A frame that says nothing; empty while no document is open.</summary>
    public ReadOnlyMemory<byte> Silence
    {
        get
        {
            foreach (var (_, document) in _open)
                return document.Silence;
            return default;
        }
    }

    /// <summary>Takes in messages until the client or the server ends the connection.</summary>
    public async Task RunAsync()
    {
        if (limits.SignInMilliseconds > 0 && context.User.Identity is not { IsAuthenticated: true })
            _ = EndUnlessSignedInAsync();
        while (await socket.NextAsync(exception => _ = EndSocketAsync(exception)) is { } message)
        {
            try
            {
                await TakeAsync(message);
            }
            catch (CollabException exception)
            {
                _ = EndSocketAsync(exception);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_tokenTimer is not null)
            await _tokenTimer.DisposeAsync();
        foreach (var (address, document) in _open)
            await LeaveAsync(address, document);
    }

    // Who has not said who he is has no right to anything, not to a connection either.
    private async Task EndUnlessSignedInAsync()
    {
        try
        {
            await Task.Delay(limits.SignInMilliseconds, socket.Ended);
            if (!_wasEntered)
                await socket.CloseAsync(GatewayCloseCodes.TimedOut, "sign in: a document's token did not come in time");
        }
        catch (OperationCanceledException)
        {
            // It is over.
        }
    }

    private Task EndSocketAsync(CollabException exception) => socket.CloseAsync(
        exception.Code is ErrorCodes.TooLarge or ErrorCodes.Unavailable ? GatewayCloseCodes.Of(exception.Code) : Reset,
        $"{exception.Code}: {exception.Message}");

    private async ValueTask TakeAsync(ReadOnlyMemory<byte> message)
    {
        if (message.Length == 1 && message.Span[0] is Ping or Pong)
            return;
        var (address, kind, body) = Open(message);
        if (kind == GatewayMessage.Auth)
        {
            await AuthenticateAsync(address, ReadToken(body.Span));
            return;
        }

        if (_turnedAway.Contains(address))
            return;
        if (!_open.TryGetValue(address, out var document))
        {
            // Older clients that have no token send none, and begin with the question what they lack. Else it comes late, from who has left.
            if (kind != GatewayMessage.Sync || body.Span is not [(byte)SyncMessageKind.SyncStep1, ..] || !await EnterAsync(address, "", isAsked: false)
                || !_open.TryGetValue(address, out document))
            {
                return;
            }
        }

        try
        {
            await document.TakeAsync(kind, body.Span);
        }
        catch (CollabException exception) when (exception.Code is not ErrorCodes.InvalidMessage)
        {
            await document.FailAsync(exception);
        }
    }

    private async Task AuthenticateAsync(string address, string token)
    {
        _turnedAway.Remove(address);
        if (!_open.TryGetValue(address, out var document))
        {
            await EnterAsync(address, token, isAsked: true);
            return;
        }

        // He goes on with another token.
        var caller = document.Connection.Caller;
        if (await SignInAsync(token) is { } renewed && renewed.Owner == caller.SignIn.Owner)
        {
            caller.SignIn = renewed;
            NoteToken(document);
            await document.ReviewAsync();
        }
        else
        {
            await EndAsync(address, document, $"{ErrorCodes.Forbidden}: the token is none, or another user's");
        }
    }

    /// <summary>Lets the client into a document, or says that he may not come in.</summary>
    /// <param name="address">The address.</param>
    /// <param name="token">The token, empty when there is none.</param>
    /// <param name="isAsked">Whether he waits to hear that he is in.</param>
    private async Task<bool> EnterAsync(string address, string token, bool isAsked)
    {
        try
        {
            requests.Count(context);
            if (limits.RoomsPerConnection > 0 && _open.Count >= limits.RoomsPerConnection)
                throw new CollabException(ErrorCodes.TooMany, $"a connection may be in {limits.RoomsPerConnection} documents at a time; leave one first");
            var user = await SignInAsync(token) ?? throw new CollabException(ErrorCodes.Forbidden, "sign in first: the token is missing, is none or has expired");
            await EnterAsync(address, user, isAsked);
            return true;
        }
        catch (CollabException exception) when (exception.Code is not ErrorCodes.Unavailable)
        {
            if (_turnedAway.Count >= MaxTurnedAway)
                throw GatewayMessage.Malformed("too many documents that the client may not enter");
            _turnedAway.Add(address);
            await socket.SendAsync(GatewayMessage.OfDenial(GatewayMessage.Text(address), $"{exception.Code}: {exception.Message}", Denied));
            return false;
        }
    }

    private async Task EnterAsync(string address, SignIn user, bool isAsked)
    {
        var id = address.Split(SessionSeparator)[0];
        var bytes = GatewayMessage.Text(address);
        var format = id.Length == address.Length ? Format : new GatewayFormat(Format.Name, _ => bytes, isShared: false, StatelessOf);
        HocuspocusDocument? document = null;
        // One that was left and entered again is another: what ends the first must not end the second.
        Task End(string? reason) => EndAsync(address, document, reason);
        var connection = await connections.BeginAsync(
            user, socket, format, End, context.Request.Query[Connections.SessionParameter], $"{Format.Name} {address}");
        document = new HocuspocusDocument(documents, requests, connection, id, socket, bytes, End);
        _open[address] = document;
        JoinedDocument joined;
        try
        {
            joined = await document.JoinAsync();
        }
        catch
        {
            await LeaveAsync(address, document);
            throw;
        }

        _wasEntered = true;
        if (isAsked)
            await socket.SendAsync([.. bytes, GatewayMessage.Auth, Authenticated, .. GatewayMessage.Text(joined.Access == DocumentAccess.Write ? "read-write" : "readonly")]);
        NoteToken(document);
        if (joined.Awareness is not [0])
            await socket.SendAsync(GatewayMessage.AwarenessHead(bytes, joined.Awareness.Length), joined.Awareness);
    }

    /// <summary>Before the token of a document expires another one is asked for.</summary>
    private void NoteToken(HocuspocusDocument document)
    {
        if (document.Connection.Caller.SignIn.Expires is not { } expires)
            return;
        var now = clock.GetUtcNow();
        var left = expires - now;
        document.AskForTokenAt = (now + (left / 2 > left - AskAhead ? left / 2 : left - AskAhead)).UtcTicks;
        ScheduleTokens();
    }

    private void ScheduleTokens()
    {
        lock (_scheduling)
        {
            var next = long.MaxValue;
            foreach (var (_, document) in _open)
                next = Math.Min(next, document.AskForTokenAt);
            if (next == long.MaxValue)
                return;
            var wait = TimeSpan.FromTicks(Math.Clamp(next - clock.GetUtcNow().UtcTicks, 0, LongestWait.Ticks));
            _tokenTimer ??= clock.CreateTimer(_ => AskForTokens(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _tokenTimer.Change(wait, Timeout.InfiniteTimeSpan);
        }
    }

    private void AskForTokens()
    {
        var now = clock.GetUtcNow().UtcTicks;
        foreach (var (address, document) in _open)
        {
            if (document.AskForTokenAt > now)
                continue;
            document.AskForTokenAt = long.MaxValue;
            // Clients before version 3 do not answer.
            _ = socket.SendAsync([.. GatewayMessage.Text(address), GatewayMessage.Auth, Token]).AsTask();
        }

        ScheduleTokens();
    }

    private async Task<SignIn?> SignInAsync(string token) =>
        token.Length > 0 ? await signIn(token)
        : context.User.Identity is { IsAuthenticated: true } ? SignIn.Of(context)
        : null;

    /// <summary>The document is over for this client: he is told, and the others go on. Without a reason the server stops.</summary>
    private async Task EndAsync(string address, HocuspocusDocument? document, string? reason)
    {
        if (reason is null || document is null)
        {
            await socket.CloseAsync(GatewayCloseCodes.ServiceRestart, "connect again");
            return;
        }

        if (await LeaveAsync(address, document))
            await socket.SendAsync([.. GatewayMessage.Text(address), HocuspocusDocument.Close, .. GatewayMessage.Text(reason)]);
    }

    private async Task<bool> LeaveAsync(string address, HocuspocusDocument document)
    {
        if (!_open.TryRemove(KeyValuePair.Create(address, document)))
            return false;
        await connections.EndAsync(document.Connection);
        return true;
    }

    private static (string Address, int Kind, ReadOnlyMemory<byte> Body) Open(ReadOnlyMemory<byte> message)
    {
        var bytes = message.Span;
        string address;
        try
        {
            address = Utf8.GetString(GatewayMessage.TakeBytes(ref bytes));
        }
        catch (DecoderFallbackException)
        {
            throw GatewayMessage.Malformed("the document's name is no text");
        }

        if (address.Length > 2 * RoomName.MaxLength)
            throw GatewayMessage.Malformed("the document's name is too long");
        var kind = GatewayMessage.TakeNumber(ref bytes);
        return (address, kind, message[^bytes.Length..]);
    }

    private static byte[] StatelessOf(string payload) => [HocuspocusDocument.Stateless, .. GatewayMessage.Text(payload)];

    // Newer clients say their version after it.
    private static string ReadToken(ReadOnlySpan<byte> body)
    {
        if (GatewayMessage.TakeNumber(ref body) != Token)
            throw GatewayMessage.Malformed("only a token comes from clients");
        var token = GatewayMessage.TakeBytes(ref body);
        return token.Length <= MaxToken ? Encoding.UTF8.GetString(token) : throw GatewayMessage.Malformed("the token is too long");
    }
}
