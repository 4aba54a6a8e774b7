using System.Net;
using System.Net.Http.Headers;
using Collab.Protocol;
using Collab.Testing;

namespace Collab.Host.Tests.Security;

/// <summary>Outside Development callers are let in by a JWT, and it grants what its claim <c>collab</c> lists.</summary>
public sealed class BearerTests(BearerTests.Production production) : IClassFixture<BearerTests.Production>
{
    private const string Grants =
        """
        [{ "document": "acme/*", "access": ["read", "write"] }, { "document": "news", "access": ["read"] }]
        """;

    [Fact]
    public async Task A_token_lets_its_bearer_write_what_it_grants()
    {
        var client = await production.Host.ConnectAsync(Tokens.Of(Grants));

        Assert.Equal("write", (await client.JoinAsync("acme/plan")).Access);
        await client.PushAsync("acme/plan", new Typist(1).Type("hello"));
    }

    [Fact]
    public async Task What_the_token_grants_for_reading_may_not_be_written()
    {
        var client = await production.Host.ConnectAsync(Tokens.Of(Grants));

        Assert.Equal("read", (await client.JoinAsync("news")).Access);
        Assert.Equal("forbidden", await TestClient.CodeOfAsync(client.PushAsync("news", new Typist(1).Type("hello"))));
    }

    [Fact]
    public async Task What_the_token_does_not_grant_is_forbidden()
    {
        var client = await production.Host.ConnectAsync(Tokens.Of(Grants));

        Assert.Equal("forbidden", await TestClient.CodeOfAsync(client.JoinAsync("other/plan")));
    }

    [Fact]
    public async Task A_single_grant_need_not_be_in_a_list()
    {
        var client = await production.Host.ConnectAsync(Tokens.Of("""{ "document": "acme/*", "access": ["read"] }"""));

        Assert.Equal("read", (await client.JoinAsync("acme/plan")).Access);
    }

    [Fact]
    public async Task A_token_without_grants_opens_nothing()
    {
        var client = await production.Host.ConnectAsync(Tokens.Of("[]"));

        Assert.Equal("forbidden", await TestClient.CodeOfAsync(client.JoinAsync("acme/plan")));
    }

    [Theory]
    [InlineData("another key")]
    [InlineData("expired")]
    [InlineData("another issuer")]
    [InlineData("another audience")]
    [InlineData("alg none")]
    [InlineData("no token at all")]
    public async Task A_token_that_is_not_in_order_is_refused(string fault) =>
        Assert.Equal(HttpStatusCode.Unauthorized, await NegotiateAsync(bearer: Tokens.Wrong(Grants)[fault]));

    [Fact]
    public async Task A_token_in_the_address_is_not_taken()
    {
        var token = Tokens.Of(Grants);

        Assert.Equal(HttpStatusCode.Unauthorized, await NegotiateAsync(query: $"&access_token={token}"));
        Assert.Equal(HttpStatusCode.OK, await NegotiateAsync(bearer: token));
    }

    private async Task<HttpStatusCode> NegotiateAsync(string? bearer = null, string query = "")
    {
        using var http = new HttpClient();
        if (bearer is not null)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        using var answer = await http.PostAsync(
            new Uri($"{production.Host.Url}{HubContract.Path}/negotiate?negotiateVersion=1{query}"), null);
        return answer.StatusCode;
    }

    /// <summary>One server for all tests of the class.</summary>
    public sealed class Production : IAsyncLifetime
    {
        private readonly TemporaryFolder _folder = new();
        private HostProcess? _host;

        public HostProcess Host => _host ?? throw new InvalidOperationException("The server is started before the first test.");

        public async Task InitializeAsync() =>
            _host = await HostProcess.Launch(_folder.Path, "Production", Tokens.Settings).ReadyAsync();

        public async Task DisposeAsync()
        {
            await Host.DisposeAsync();
            _folder.Dispose();
        }
    }
}
