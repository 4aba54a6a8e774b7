using System.Net;
using System.Security.Cryptography;
using Collab.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;

namespace Collab.Host.Tests.Security;

/// <summary>Tokens of an identity provider, whose keys the server fetches by itself (OpenID Connect Discovery).</summary>
public sealed class AuthorityTests
{
    private const string Grants = """[{ "document": "acme/*", "access": ["read", "write"] }]""";

    [Fact]
    public async Task A_token_of_the_authority_lets_its_bearer_in_and_others_do_not()
    {
        using var rsa = RSA.Create(2048);
        var key = new RsaSecurityKey(rsa) { KeyId = "2026" };
        await using var provider = await StartProviderAsync(key);
        var authority = provider.Urls.Single();
        using var folder = new TemporaryFolder();
        await using var host = await HostProcess.Launch(folder.Path, "Production",
        [
            ("Authentication__Schemes__Bearer__Authority", authority),
            ("Authentication__Schemes__Bearer__RequireHttpsMetadata", "false"),
            ("Authentication__Schemes__Bearer__ValidAudiences__0", Tokens.Audience),
        ]).ReadyAsync();
        var client = await host.ConnectAsync(Tokens.Of(Grants, new SigningCredentials(key, SecurityAlgorithms.RsaSha256), authority));

        Assert.Equal("write", (await client.JoinAsync("acme/plan")).Access);
        using var other = RSA.Create(2048);
        var forged = new SigningCredentials(new RsaSecurityKey(other) { KeyId = "2026" }, SecurityAlgorithms.RsaSha256);
        var confused = new SigningCredentials(
            new SymmetricSecurityKey(rsa.ExportSubjectPublicKeyInfo()) { KeyId = "2026" }, SecurityAlgorithms.HmacSha256);
        Assert.Equal(HttpStatusCode.Unauthorized, await RefusalAsync(host, Tokens.Of(Grants, forged, authority)));
        Assert.Equal(HttpStatusCode.Unauthorized, await RefusalAsync(host, Tokens.Of(Grants, confused, authority)));
        Assert.Equal(HttpStatusCode.Unauthorized, await RefusalAsync(
            host, Tokens.Of(Grants, new SigningCredentials(key, SecurityAlgorithms.RsaSha256), "https://elsewhere.example")));
    }

    private static async Task<HttpStatusCode?> RefusalAsync(HostProcess host, string token) =>
        (await Assert.ThrowsAsync<HttpRequestException>(() => host.ConnectAsync(token))).StatusCode;

    /// <summary>As much of an identity provider as is needed: where its keys are, and the keys.</summary>
    private static async Task<WebApplication> StartProviderAsync(RsaSecurityKey key)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var jwk = JsonWebKeyConverter.ConvertFromRSASecurityKey(key);
        app.MapGet("/.well-known/openid-configuration", () => Results.Json(new Dictionary<string, string>
        {
            ["issuer"] = app.Urls.Single(),
            ["jwks_uri"] = app.Urls.Single() + "/keys",
        }));
        app.MapGet("/keys", () => Results.Json(new { keys = new[] { new { kty = jwk.Kty, use = "sig", kid = jwk.Kid, n = jwk.N, e = jwk.E } } }));
        await app.StartAsync();
        return app;
    }
}
