using System.Security.Cryptography;
using Collab.Testing;

namespace Collab.Host.Tests.Security;

/// <summary>A key that cannot serve stops the start with a sentence.</summary>
public sealed class KeySettingTests : IDisposable
{
    private const string Bearer = "Authentication:Schemes:Bearer";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("c2hvcnQ=")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==")]
    [InlineData("no base64, however long it may be it is no key at all")]
    public Task A_symmetric_key_has_32_bytes(string key) =>
        RefusedAsync("SigningKeys:0:Value", key, $"{Bearer}:SigningKeys:0:Value must be at least 32 bytes in base64");

    [Theory]
    [InlineData("no key")]
    [InlineData("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----")]
    [InlineData("-----BEGIN PUBLIC KEY-----\\nMFkw\\n-----END PUBLIC KEY-----")]
    public Task A_public_key_is_in_PEM(string key) =>
        RefusedAsync("PublicKeys:0", key, $"{Bearer}:PublicKeys:0 must be one RSA or EC public key in PEM");

    [Fact]
    public Task The_file_of_a_public_key_can_be_read() =>
        RefusedAsync("PublicKeyFiles:0", Path.Combine(_folder.Path, "none.pem"), $"{Bearer}:PublicKeyFiles:0 must be the path of a PEM file");

    [Fact]
    public async Task The_file_of_a_public_key_holds_one()
    {
        var file = Path.Combine(_folder.Path, "key.pem");
        await File.WriteAllTextAsync(file, "no key");

        await RefusedAsync("PublicKeyFiles:0", file, $"{Bearer}:PublicKeyFiles:0 must be one RSA or EC public key in PEM");
    }

    [Fact]
    public async Task A_private_key_is_not_for_the_server()
    {
        using var rsa = RSA.Create(2048);

        await RefusedAsync("PublicKeys:0", rsa.ExportPkcs8PrivateKeyPem(), $"{Bearer}:PublicKeys:0 is a private key");
    }

    [Fact]
    public async Task An_RSA_key_has_2048_bits()
    {
        using var rsa = RSA.Create(1024);

        await RefusedAsync("PublicKeys:0", rsa.ExportSubjectPublicKeyInfoPem(), $"{Bearer}:PublicKeys:0 must be an RSA key of at least 2048 bits");
    }

    [Theory]
    [InlineData("ValidIssuer", "'iss'")]
    [InlineData("ValidAudiences:0", "'aud'")]
    public async Task Whose_tokens_and_for_whom_must_be_said(string missing, string claim)
    {
        var settings = Tokens.Settings.Where(setting => !setting.Item1.EndsWith(missing.Replace(":", "__", StringComparison.Ordinal), StringComparison.Ordinal));
        await using var host = HostProcess.Launch(_folder.Path, environment: null, settings: settings);

        Assert.Equal(1, await host.ExitAsync());
        Assert.Contains(host.Lines, line => line.Contains($"Set {Bearer}:{missing} to the {claim} of your tokens", StringComparison.Ordinal));
    }

    [Fact]
    public Task An_authority_is_asked_over_https() =>
        RefusedAsync("Authority", "http://id.example", "The MetadataAddress or Authority must use HTTPS");

    private async Task RefusedAsync(string key, string value, string sentence)
    {
        var setting = $"{Bearer}:{key}".Replace(":", "__", StringComparison.Ordinal);
        await using var host = HostProcess.Launch(_folder.Path, "Production", [(setting, value)]);

        Assert.Equal(1, await host.ExitAsync());

        Assert.Contains(host.Lines, line => line.StartsWith($"Collab did not start: {sentence}", StringComparison.Ordinal));
    }
}
