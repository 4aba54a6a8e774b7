using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Collab.Crdt;
using Collab.Protocol;
using Collab.Testing;
using Microsoft.AspNetCore.SignalR.Client;

namespace Collab.Host.Tests.Security.Doors;

/// <summary>A door over HTTP.</summary>
/// <param name="Method">The method.</param>
/// <param name="Route">The route as OpenAPI describes it.</param>
/// <param name="Needs">The least that lets somebody through.</param>
/// <param name="Query">What follows the path.</param>
/// <param name="Json">The body, if any.</param>
/// <param name="Type">The body's type.</param>
internal sealed record HttpDoor(HttpMethod Method, string Route, Right Needs, string Query = "", string? Json = null, string Type = "application/json")
{
    /// <summary>Every door over HTTP but health, which is open to everybody.</summary>
    public static IReadOnlyList<HttpDoor> Table { get; } =
    [
        new(HttpMethod.Get, "/documents", Right.None, "?prefix=door/"),
        new(HttpMethod.Get, "/documents/{documentId}", Right.Read),
        new(HttpMethod.Put, "/documents/{documentId}", Right.All, Json: """{ "t": "by the right one" }"""),
        new(HttpMethod.Patch, "/documents/{documentId}", Right.All, Json: """{ "t": "patched" }""", Type: "application/merge-patch+json"),
        new(HttpMethod.Post, "/documents/{documentId}/updates", Right.All, Json: "\0\0", Type: "application/octet-stream"),
        new(HttpMethod.Get, "/documents/{documentId}/versions", Right.Read),
        new(HttpMethod.Post, "/documents/{documentId}/versions", Right.All),
        new(HttpMethod.Get, "/documents/{documentId}/versions/{version}", Right.Read),
        new(HttpMethod.Get, "/documents/{documentId}/versions/{version}/changes", Right.Read),
        new(HttpMethod.Post, "/documents/{documentId}/versions/{version}/restore", Right.All),
        new(HttpMethod.Patch, "/documents/{documentId}/versions/{version}", Right.All, Json: """{ "name": "n" }"""),
        new(HttpMethod.Delete, "/documents/{documentId}/versions/{version}", Right.All),
        // Of a document that is not there: the others' doors lead to the one that is.
        new(HttpMethod.Delete, "/documents/{documentId}", Right.All),
        new(HttpMethod.Get, "/channels/{channel}/messages", Right.Read, "?wait=0"),
        new(HttpMethod.Post, "/channels/{channel}/messages", Right.All, Json: """{ "event": "e", "data": "by the right one" }"""),
        new(HttpMethod.Get, "/channels/{channel}/members", Right.All),
        new(HttpMethod.Get, "/channels/{channel}/events", Right.Read),
        new(HttpMethod.Get, "/events", Right.Read, $"?channel={Uri.EscapeDataString(Credential.Room)}"),
        new(HttpMethod.Post, "/tickets", Right.None, Json: """{ "path": "/channels/door%2Froom/events" }"""),
        new(HttpMethod.Post, "/admin/revocations", Right.All, Json: """{ "session": "of nobody" }"""),
        new(HttpMethod.Get, "/admin/status", Right.All),
        new(HttpMethod.Get, "/admin/events", Right.All),
        // Of a sink that is not there.
        new(HttpMethod.Post, "/admin/events/{sink}/enable", Right.All),
        new(HttpMethod.Get, "/admin/events/{sink}/dead-letters", Right.All),
        new(HttpMethod.Post, "/admin/events/{sink}/dead-letters/resend", Right.All),
        new(HttpMethod.Delete, "/admin/events/{sink}/dead-letters/{id}", Right.All),
        // Who has no connection that could be renewed is told so.
        new(HttpMethod.Post, HubContract.Path + "/refresh", Right.None, "?id=none"),
        new(HttpMethod.Post, HubContract.Path + "/negotiate", Right.None, "?negotiateVersion=1"),
    ];

    public override string ToString() => $"{Method} {Route}";

    /// <summary>Tries the door.</summary>
    public async Task<Outcome> TryAsync(HttpClient http, string server, Credential credential)
    {
        var room = Uri.EscapeDataString(Credential.Room + (Method == HttpMethod.Delete ? "/none" : ""));
        var path = Route.Replace("{documentId}", room, StringComparison.Ordinal).Replace("{channel}", room, StringComparison.Ordinal)
            .Replace("{version}", "none", StringComparison.Ordinal)
            .Replace("{sink}", "none", StringComparison.Ordinal).Replace("{id}", "none", StringComparison.Ordinal);
        using var request = new HttpRequestMessage(Method, new Uri(server + path + Query));
        if (credential.Authorization is { } authorization)
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        if (Json is not null)
            request.Content = new StringContent(Json, Encoding.UTF8, new MediaTypeHeaderValue(Type));
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return answer.StatusCode switch
        {
            HttpStatusCode.OK or HttpStatusCode.Created or HttpStatusCode.NoContent => Outcome.Let,
            HttpStatusCode.NotFound when Route.EndsWith("/refresh", StringComparison.Ordinal) => Outcome.Let,
            // There is no such version, and no such document.
            HttpStatusCode.NotFound when Route.Contains("{version}", StringComparison.Ordinal) || Route.Contains("{sink}", StringComparison.Ordinal) || Method == HttpMethod.Delete => Outcome.Let,
            HttpStatusCode.Unauthorized => Outcome.Unknown,
            HttpStatusCode.Forbidden => Outcome.Forbidden,
            var other => throw new InvalidOperationException($"{this}, {credential.Name}: {(int)other}"),
        };
    }
}

/// <summary>A door of the hub: one of its methods.</summary>
/// <param name="Method">The method.</param>
/// <param name="Needs">The least that lets somebody through.</param>
/// <param name="CallAsync">Calls it.</param>
internal sealed record HubDoor(string Method, Right Needs, Func<TestClient, Task> CallAsync)
{
    /// <summary>Every method of the hub.</summary>
    public static IReadOnlyList<HubDoor> Table { get; } =
    [
        new("JoinDocument", Right.Read, client => client.JoinAsync(Credential.Room)),
        // Where nobody is a member who may not join, these say that one is none.
        new("PushUpdate", Right.All, client => MemberAsync(client, () => client.PushAsync(Credential.Room, new Typist(4).Type("by the right one")))),
        new("SyncDocument", Right.Read, client => MemberAsync(client, () => client.SyncAsync(Credential.Room))),
        new("PushAwareness", Right.Read, client => MemberAsync(client, () => client.ShowAsync(Credential.Room, new AwarenessState(5, 1, "{}"u8.ToArray())))),
        new("LeaveDocument", Right.None, client => client.LeaveAsync(Credential.Room)),
        new("Subscribe", Right.Read, client => client.Connection.InvokeAsync("Subscribe", Credential.Room, null)),
        new("Unsubscribe", Right.None, client => client.Connection.InvokeAsync("Unsubscribe", Credential.Room)),
        new("Publish", Right.All, client => client.Connection.InvokeAsync("Publish", Credential.Room, "e", "by the right one", null)),
        new("GetHistory", Right.Read, client => client.Connection.InvokeAsync("GetHistory", Credential.Room, null)),
        new("GetMembers", Right.All, client => client.Connection.InvokeAsync("GetMembers", Credential.Room)),
        new("StreamChannel", Right.Read, StreamAsync),
    ];

    public override string ToString() => Method;

    /// <summary>Tries the door.</summary>
    public async Task<Outcome> TryAsync(TestClient client) => await TestClient.CodeOfAsync(CallAsync(client)) switch
    {
        "no error" => Outcome.Let,
        ErrorCodes.Forbidden or ErrorCodes.NotJoined => Outcome.Forbidden,
        var other => throw new InvalidOperationException($"{Method}: {other}"),
    };

    private static async Task MemberAsync(TestClient client, Func<Task> callAsync)
    {
        await TestClient.CodeOfAsync(client.JoinAsync(Credential.Room));
        await callAsync();
    }

    private static async Task StreamAsync(TestClient client)
    {
        await foreach (var _ in client.Connection.StreamAsync<ChannelMessage>("StreamChannel", Credential.Room, new SubscribeOptions { Rewind = 1 }))
            return;
    }
}

/// <summary>What came of it.</summary>
internal enum Outcome
{
    /// <summary>It was done.</summary>
    Let,

    /// <summary>He is not let in at all.</summary>
    Unknown,

    /// <summary>He is known, but this he may not.</summary>
    Forbidden,
}
