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

    /// <summary>The stable code of a problem document.</summary>
    public static async Task<string?> CodeAsync(this HttpResponseMessage response)
    {
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return problem.RootElement.GetProperty("code").GetString();
    }
}
