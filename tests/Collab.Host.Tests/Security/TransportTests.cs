using System.Net;
using Collab.Testing;

namespace Collab.Host.Tests.Security;

/// <summary>What a request says of its way here counts only from known proxies; and where https is required, nothing is served without.</summary>
public sealed class TransportTests : IDisposable
{
    private const string Warning = "A token came over plain http";

    private static readonly (string, string) Required = ("Collab__Https__Required", "true");
    private static readonly (string, string) KnownProxy = ("Collab__Proxies__KnownProxies__0", "127.0.0.1");
    private static readonly (string, string) KnownNetwork = ("Collab__Proxies__KnownNetworks__0", "127.0.0.0/8");
    private static readonly (string, string) OtherProxy = ("Collab__Proxies__KnownProxies__0", "203.0.113.1");

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, string> Known { get; } = new()
    {
        { KnownProxy.Item1, KnownProxy.Item2 },
        { KnownNetwork.Item1, KnownNetwork.Item2 },
    };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Where_https_is_required_a_plain_request_is_sent_there_but_for_health()
    {
        await using var host = await HostProcess.Launch(_folder.Path, settings: [Required]).ReadyAsync();

        using var answer = await GetAsync(host, "/documents?limit=1");

        Assert.Equal(HttpStatusCode.TemporaryRedirect, answer.StatusCode);
        Assert.Equal("https://127.0.0.1/documents?limit=1", answer.Headers.Location?.ToString());
    }

    [Fact]
    public async Task The_port_of_https_can_be_another()
    {
        await using var host = await HostProcess.Launch(_folder.Path, settings: [Required, ("Collab__Https__Port", "8443")]).ReadyAsync();

        using var answer = await GetAsync(host, "/documents");

        Assert.Equal("https://127.0.0.1:8443/documents", answer.Headers.Location?.ToString());
    }

    [Theory]
    [MemberData(nameof(Known))]
    public async Task What_a_known_proxy_took_over_https_is_served_and_browsers_are_told_to_stay_with_it(string key, string proxy)
    {
        await using var host = await HostProcess.Launch(_folder.Path, settings: [Required, (key, proxy)]).ReadyAsync();

        using var answer = await GetAsync(host, "/documents", ("X-Forwarded-Proto", "https"), ("Host", "app.example"));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("max-age=31536000", answer.Headers.GetValues("Strict-Transport-Security").Single());
    }

    [Fact]
    public async Task What_anybody_else_says_of_its_way_is_ignored()
    {
        await using var host = await HostProcess.Launch(_folder.Path, settings: [Required, OtherProxy]).ReadyAsync();

        using var answer = await GetAsync(host, "/documents", ("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "203.0.113.1"));

        Assert.Equal(HttpStatusCode.TemporaryRedirect, answer.StatusCode);
    }

    [Fact]
    public async Task Without_known_proxies_no_such_header_counts()
    {
        await using var host = await HostProcess.Launch(_folder.Path, settings: [Required]).ReadyAsync();

        using var answer = await GetAsync(host, "/documents", ("X-Forwarded-Proto", "https"));

        Assert.Equal(HttpStatusCode.TemporaryRedirect, answer.StatusCode);
    }

    [Fact]
    public async Task Behind_a_proxy_that_ends_tls_a_page_over_http_is_a_foreign_one()
    {
        await using var host = await HostProcess.Launch(_folder.Path, settings: [KnownProxy]).ReadyAsync();

        using var plain = await GetAsync(
            host, "/documents", ("X-Forwarded-Proto", "https"), ("Host", "app.example"), ("Origin", "http://app.example"));
        using var secure = await GetAsync(
            host, "/documents", ("X-Forwarded-Proto", "https"), ("Host", "app.example"), ("Origin", "https://app.example"));

        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.OK), (plain.StatusCode, secure.StatusCode));
    }

    [Fact]
    public async Task A_token_that_came_in_clear_is_told_once()
    {
        await using var host = await HostProcess.Launch(_folder.Path, settings: [KnownProxy]).ReadyAsync();
        (string, string) token = ("Authorization", "Bearer nonsense"), far = ("X-Forwarded-For", "203.0.113.7");

        // From this machine, without a token, and over https there is nothing to tell.
        using (await GetAsync(host, "/documents", token))
        using (await GetAsync(host, "/documents", far))
        using (await GetAsync(host, "/documents", token, far, ("X-Forwarded-Proto", "https")))
            Assert.DoesNotContain(host.Lines, IsWarning);
        using (await GetAsync(host, "/documents", token, far))
        using (await GetAsync(host, "/documents", token, far))
            Assert.Equal(0, await host.TerminateAsync());

        Assert.Single(host.Lines, IsWarning);
    }

    [Fact]
    public async Task Answers_do_not_tell_which_server_made_them()
    {
        await using var host = await HostProcess.Launch(_folder.Path).ReadyAsync();

        using var answer = await GetAsync(host, "/documents");

        Assert.Empty(answer.Headers.Server);
    }

    [Theory]
    [InlineData("Collab__Proxies__KnownProxies__0", "proxy", "Collab:Proxies:KnownProxies must be IP addresses")]
    [InlineData("Collab__Proxies__KnownNetworks__0", "10.0.0.0/40", "Collab:Proxies:KnownNetworks must be networks")]
    [InlineData("Collab__Https__Port", "0", "Collab:Https:Port must be 1 to 65535.")]
    [InlineData("Collab__Https__Required", "perhaps", "Failed to convert configuration value 'perhaps' at 'Collab:Https:Required'")]
    public async Task A_wrong_setting_stops_the_start_with_a_sentence(string key, string value, string sentence)
    {
        await using var host = HostProcess.Launch(_folder.Path, settings: [(key, value)]);

        Assert.Equal(1, await host.ExitAsync());

        Assert.StartsWith($"Collab did not start: {sentence}", host.Lines[^1], StringComparison.Ordinal);
    }

    private static bool IsWarning(string line) => line.Contains(Warning, StringComparison.Ordinal);

    private static async Task<HttpResponseMessage> GetAsync(HostProcess host, string path, params (string Name, string Value)[] headers)
    {
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var http = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(host.Url + path));
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return await http.SendAsync(request);
    }
}
