using System.Net;
using Collab.Testing;

namespace Collab.Host.Tests.Security;

/// <summary>The scripts of allowed origins may read the ready-made server's answers; those of others are told nothing.</summary>
public sealed class CorsTests(CorsTests.Allowing allowing) : IClassFixture<CorsTests.Allowing>
{
    private const string Allowed = "https://app.example";

    [Theory]
    [InlineData("/channels/c/messages")]
    [InlineData("/tickets")]
    [InlineData("/hubs/collab/negotiate")]
    public async Task A_preflight_is_answered_for_an_allowed_origin_without_a_token(string path)
    {
        using var answer = await PreflightAsync(path, Allowed);

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal(Allowed, Header(answer, "Access-Control-Allow-Origin"));
        Assert.Equal("true", Header(answer, "Access-Control-Allow-Credentials"));
        Assert.Equal("POST", Header(answer, "Access-Control-Allow-Methods"));
        Assert.Equal("authorization,content-type", Header(answer, "Access-Control-Allow-Headers"));
        Assert.Equal("600", Header(answer, "Access-Control-Max-Age"));
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("http://app.example")]
    [InlineData("null")]
    public async Task A_preflight_allows_no_other_origin_anything(string origin)
    {
        using var answer = await PreflightAsync("/tickets", origin);

        Assert.DoesNotContain(answer.Headers, header => header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task An_allowed_origin_may_read_answers_and_refusals()
    {
        using var answer = await GetAsync("/channels/c/messages?wait=0", Allowed);
        using var refused = await GetAsync("/channels/c/messages?wait=0", Allowed, bearer: "nonsense");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Unauthorized), (answer.StatusCode, refused.StatusCode));
        Assert.Equal(Allowed, Header(answer, "Access-Control-Allow-Origin"));
        Assert.Equal("ETag,Retry-After", Header(answer, "Access-Control-Expose-Headers"));
        Assert.Equal(Allowed, Header(refused, "Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Another_origin_is_refused_and_may_not_even_read_that()
    {
        using var answer = await GetAsync("/channels/c/messages?wait=0", "https://evil.example");

        Assert.Equal((HttpStatusCode.Forbidden, "forbidden"), (answer.StatusCode, await answer.CodeAsync()));
        Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
    }

    private static string Header(HttpResponseMessage answer, string name) => Assert.Single(answer.Headers.GetValues(name));

    private Task<HttpResponseMessage> PreflightAsync(string path, string origin)
    {
        var request = new HttpRequestMessage(HttpMethod.Options, new Uri(allowing.Host.Url + path));
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "authorization,content-type");
        return SendAsync(request, origin);
    }

    private Task<HttpResponseMessage> GetAsync(string path, string origin, string? bearer = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(allowing.Host.Url + path));
        if (bearer is not null)
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {bearer}");
        return SendAsync(request, origin);
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, string origin)
    {
        using var http = new HttpClient();
        request.Headers.Add("Origin", origin);
        using (request)
            return await http.SendAsync(request);
    }

    /// <summary>One server for all tests of the class.</summary>
    public sealed class Allowing : IAsyncLifetime
    {
        private readonly TemporaryFolder _folder = new();
        private HostProcess? _host;

        public HostProcess Host => _host ?? throw new InvalidOperationException("The server is started before the first test.");

        public async Task InitializeAsync() =>
            _host = await HostProcess.Launch(_folder.Path, settings: [("Collab__AllowedOrigins__0", Allowed)]).ReadyAsync();

        public async Task DisposeAsync()
        {
            await Host.DisposeAsync();
            _folder.Dispose();
        }
    }
}
