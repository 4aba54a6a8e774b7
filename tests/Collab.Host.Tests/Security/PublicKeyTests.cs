using System.Net;
using System.Security.Cryptography;
using System.Text;
using Collab.Testing;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Collab.Host.Tests.Security;

/// <summary>Tokens signed with a private key that the server does not have, checked with the public key that it was given.</summary>
public sealed class PublicKeyTests(PublicKeyTests.WithPublicKeys production) : IClassFixture<PublicKeyTests.WithPublicKeys>
{
    private const string Grants = """[{ "document": "acme/*", "access": ["read"] }]""";

    private static readonly RSA Rsa = RSA.Create(2048);
    private static readonly ECDsa Ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public static TheoryData<string> Accepted => [.. Right.Keys];

    public static TheoryData<string> Refused => [.. Wrong.Keys];

    private static Dictionary<string, SigningCredentials> Right { get; } = new()
    {
        ["RS256, by a key in the settings"] = new(new RsaSecurityKey(Rsa), SecurityAlgorithms.RsaSha256),
        ["PS384, by the same key"] = new(new RsaSecurityKey(Rsa), SecurityAlgorithms.RsaSsaPssSha384),
        ["ES256, by a key in a file"] = new(new ECDsaSecurityKey(Ec), SecurityAlgorithms.EcdsaSha256),
    };

    private static Dictionary<string, SigningCredentials> Wrong { get; } = new()
    {
        ["RS256, by another key"] = new(new RsaSecurityKey(RSA.Create(2048)), SecurityAlgorithms.RsaSha256),
        ["ES256, by another key"] = new(
            new ECDsaSecurityKey(ECDsa.Create(ECCurve.NamedCurves.nistP256)), SecurityAlgorithms.EcdsaSha256),
        ["ES384, which no key here makes"] = new(
            new ECDsaSecurityKey(ECDsa.Create(ECCurve.NamedCurves.nistP384)), SecurityAlgorithms.EcdsaSha384),
        // What everybody knows must not serve as a secret.
        ["HS256, by the text of the public key"] = Hmac(Encoding.ASCII.GetBytes(Rsa.ExportSubjectPublicKeyInfoPem())),
        ["HS256, by the text of the public key as in the file"] = Hmac(Encoding.ASCII.GetBytes(Ec.ExportSubjectPublicKeyInfoPem() + "\n")),
        ["HS256, by the bytes of the public key"] = Hmac(Rsa.ExportSubjectPublicKeyInfo()),
        ["HS256, by the bytes of the public key in PKCS#1"] = Hmac(Rsa.ExportRSAPublicKey()),
        ["HS256, by its modulus"] = Hmac(Rsa.ExportParameters(false).Modulus!),
    };

    [Theory]
    [MemberData(nameof(Accepted))]
    public async Task A_token_that_the_key_s_owner_signed_lets_its_bearer_in(string token) =>
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(Tokens.Of(Grants, Right[token])));

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_token_that_somebody_else_signed_is_refused(string token) =>
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(Tokens.Of(Grants, Wrong[token])));

    [Fact]
    public async Task A_backend_in_CSharp_issues_tokens_as_the_documentation_shows()
    {
        var token = new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Tokens.Issuer,
            Audience = Tokens.Audience,
            Expires = DateTime.UtcNow.AddMinutes(15),
            Claims = new Dictionary<string, object>
            {
                ["sub"] = "ada",
                ["collab"] = """[{ "document": "acme/*", "access": ["read", "write"] }]""",
            },
            SigningCredentials = new SigningCredentials(new ECDsaSecurityKey(Ec), SecurityAlgorithms.EcdsaSha256),
        });

        var client = await production.Host.ConnectAsync(token);

        Assert.Equal("write", (await client.JoinAsync("acme/plan")).Access);
    }

    [Fact]
    public async Task A_token_that_was_changed_is_refused()
    {
        var token = Tokens.Of(Grants, Right["RS256, by a key in the settings"]).Split('.');
        var payload = Encoding.UTF8.GetString(Base64UrlEncoder.DecodeBytes(token[1])).Replace("acme/*", "*", StringComparison.Ordinal);
        var changed = $"{token[0]}.{Base64UrlEncoder.Encode(payload)}.{token[2]}";

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(changed));
    }

    private static SigningCredentials Hmac(byte[] secret) => new(new SymmetricSecurityKey(secret), SecurityAlgorithms.HmacSha256);

    private async Task<HttpStatusCode> StatusAsync(string token)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Add("Authorization", $"Bearer {token}");
        using var answer = await http.GetAsync(new Uri($"{production.Host.Url}/documents"));
        return answer.StatusCode;
    }

    /// <summary>One server for all tests of the class.</summary>
    public sealed class WithPublicKeys : IAsyncLifetime
    {
        private readonly TemporaryFolder _folder = new();
        private HostProcess? _host;

        public HostProcess Host => _host ?? throw new InvalidOperationException("The server is started before the first test.");

        public async Task InitializeAsync()
        {
            var file = Path.Combine(_folder.Path, "key.pem");
            await File.WriteAllTextAsync(file, Ec.ExportSubjectPublicKeyInfoPem() + "\n");
            _host = await HostProcess.Launch(_folder.Path, "Production",
            [
                ("Authentication__Schemes__Bearer__ValidIssuer", Tokens.Issuer),
                ("Authentication__Schemes__Bearer__ValidAudiences__0", Tokens.Audience),
                ("Authentication__Schemes__Bearer__PublicKeys__0", Rsa.ExportSubjectPublicKeyInfoPem()),
                ("Authentication__Schemes__Bearer__PublicKeyFiles__0", file),
            ]).ReadyAsync();
        }

        public async Task DisposeAsync()
        {
            await Host.DisposeAsync();
            _folder.Dispose();
        }
    }
}
