using System.Net.Http.Headers;
using System.Text.Json;

namespace Collab.Testing;

/// <summary>HTTP calls to the server under test, as a signed-in user.</summary>
public static class Http
{
    /// <summary>Gets a path.</summary>
    /// <param name="host">The server.</param>
    /// <param name="path">Path and query.</param>
    /// <param name="accept">The header <c>Accept</c>, if any.</param>
    /// <param name="grants">The caller's grants.</param>
    /// <param name="ifNoneMatch">The header <c>If-None-Match</c>, if any.</param>
    public static async Task<HttpResponseMessage> GetAsync(
        this CollabTestHost host, string path, string? accept = null, string grants = CollabTestHost.Everything, string? ifNoneMatch = null)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(host.Url + path));
        request.Headers.Add("Authorization", TestAuthentication.Header("ada", grants));
        if (accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", accept);
        if (ifNoneMatch is not null)
            request.Headers.IfNoneMatch.Add(EntityTagHeaderValue.Parse(ifNoneMatch));
        return await http.SendAsync(request);
    }

    /// <summary>Posts JSON.</summary>
    /// <param name="host">The server.</param>
    /// <param name="path">Path and query.</param>
    /// <param name="json">The body.</param>
    /// <param name="idempotencyKey">The header <c>Idempotency-Key</c>, if any.</param>
    /// <param name="grants">The caller's grants.</param>
    /// <param name="contentType">The body's type.</param>
    /// <param name="authorization">The header <c>Authorization</c>, in the place of the grants.</param>
    public static async Task<HttpResponseMessage> PostAsync(
        this CollabTestHost host,
        string path,
        string json,
        string? idempotencyKey = null,
        string grants = CollabTestHost.Everything,
        string contentType = "application/json",
        string? authorization = null)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(host.Url + path));
        request.Headers.Add("Authorization", authorization ?? TestAuthentication.Header("ada", grants));
        // A server that refuses what is too large need not read it.
        request.Headers.ExpectContinue = json.Length > 1024 * 1024;
        if (idempotencyKey is not null)
            request.Headers.TryAddWithoutValidation("Idempotency-Key", idempotencyKey);
        request.Content = new StringContent(json, System.Text.Encoding.UTF8, contentType);
        return await http.SendAsync(request);
    }

    /// <summary>Sends a body with a method.</summary>
    /// <param name="host">The server.</param>
    /// <param name="method">The method.</param>
    /// <param name="path">Path and query.</param>
    /// <param name="body">The body, if any.</param>
    /// <param name="contentType">The body's type.</param>
    /// <param name="grants">The caller's grants.</param>
    /// <param name="headers">More headers.</param>
    public static async Task<HttpResponseMessage> SendAsync(
        this CollabTestHost host,
        HttpMethod method,
        string path,
        byte[]? body = null,
        string contentType = "application/json",
        string grants = CollabTestHost.Everything,
        params (string Name, string Value)[] headers)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(method, new Uri(host.Url + path));
        request.Headers.Add("Authorization", TestAuthentication.Header("ada", grants));
        request.Headers.ExpectContinue = body?.Length > 1024 * 1024;
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }
        return await http.SendAsync(request);
    }

    /// <summary>Buys a ticket for a path.</summary>
    public static async Task<string> TicketAsync(this CollabTestHost host, string path, string grants = CollabTestHost.Everything)
    {
        using var answer = await host.PostAsync("/tickets", JsonSerializer.Serialize(new { path }), grants: grants);
        return (await answer.EnsureSuccessStatusCode().JsonAsync()).GetProperty("ticket").GetString()!;
    }

    /// <summary>Opens an event stream at a path, as an EventSource does.</summary>
    public static EventSourceReader Follow(this CollabTestHost host, string path, string grants = CollabTestHost.Everything) =>
        new(() => host.Url + path, TestAuthentication.Header("ada", grants));

    /// <summary>The body as JSON.</summary>
    public static async Task<JsonElement> JsonAsync(this HttpResponseMessage response)
    {
        using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return body.RootElement.Clone();
    }

    /// <summary>The stable code of a problem document.</summary>
    public static async Task<string?> CodeAsync(this HttpResponseMessage response)
    {
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return problem.RootElement.GetProperty("code").GetString();
    }
}
