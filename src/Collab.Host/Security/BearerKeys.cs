using System.Security.Cryptography;
using Microsoft.IdentityModel.Tokens;

namespace Collab.Host.Security;

/// <summary>
/// By which keys tokens are checked, and so by which algorithms. ASP.NET Core reads <c>Authority</c> and <c>SigningKeys</c> (symmetric)
/// of the section by itself; <c>PublicKeys</c> and <c>PublicKeyFiles</c> (RSA and EC, in PEM) are read here.
/// </summary>
internal sealed class BearerKeys
{
    private const int MinSymmetricBytes = 32;
    private const int MinRsaBits = 2048;

    private static readonly string[] Hmac = [SecurityAlgorithms.HmacSha256, SecurityAlgorithms.HmacSha384, SecurityAlgorithms.HmacSha512];
    private static readonly string[] Rsa =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
    ];
    private static readonly string[] Ec = [SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512];

    /// <summary>Reads the keys.</summary>
    /// <exception cref="InvalidOperationException">One is not what it should be; the message says which.</exception>
    public BearerKeys(IConfigurationSection bearer)
    {
        var algorithms = new HashSet<string>(StringComparer.Ordinal);
        if (!string.IsNullOrEmpty(bearer["Authority"]))
            algorithms.UnionWith([.. Rsa, .. Ec]);
        if (HasSymmetric(bearer.GetSection("SigningKeys")))
            algorithms.UnionWith(Hmac);

        var pems = bearer.GetSection("PublicKeys").GetChildren().Select(setting => (setting.Path, Text: setting.Value ?? ""));
        var files = bearer.GetSection("PublicKeyFiles").GetChildren().Select(setting => (setting.Path, Text: TextOf(setting)));
        PublicKeys = [.. pems.Concat(files).Where(pem => pem.Text.Length > 0).Select(pem => Import(pem.Text, pem.Path))];
        foreach (var key in PublicKeys)
            algorithms.UnionWith(key is ECDsaSecurityKey ec ? [AlgorithmOf(ec)] : Rsa);
        Algorithms = [.. algorithms];
    }

    public IReadOnlyList<SecurityKey> PublicKeys { get; }

    /// <summary>What these keys can check; empty without any key. A public key never serves as the secret of an HMAC.</summary>
    public IReadOnlyList<string> Algorithms { get; }

    private static bool HasSymmetric(IConfigurationSection keys)
    {
        var any = false;
        foreach (var key in keys.GetChildren().Where(key => !string.IsNullOrEmpty(key["Value"])))
        {
            var value = new byte[key["Value"]!.Length];
            if (!Convert.TryFromBase64String(key["Value"]!, value, out var length) || length < MinSymmetricBytes)
            {
                throw new InvalidOperationException(
                    $"{key.Path}:Value must be at least {MinSymmetricBytes} bytes in base64: shorter keys can be guessed. "
                    + $"`openssl rand -base64 {MinSymmetricBytes}` makes one.");
            }

            any = true;
        }

        return any;
    }

    private static string TextOf(IConfigurationSection setting)
    {
        try
        {
            return string.IsNullOrEmpty(setting.Value) ? "" : File.ReadAllText(setting.Value);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"{setting.Path} must be the path of a PEM file that can be read: {exception.Message}");
        }
    }

    private static AsymmetricSecurityKey Import(string pem, string setting)
    {
        if (pem.Contains("PRIVATE KEY", StringComparison.Ordinal))
        {
            throw new InvalidOperationException(
                $"{setting} is a private key. Give the server the public one only, and keep the private one where tokens are issued.");
        }

        var rsa = RSA.Create();
        if (TryImport(rsa, pem))
        {
            return rsa.KeySize >= MinRsaBits
                ? new RsaSecurityKey(rsa)
                : throw new InvalidOperationException($"{setting} must be an RSA key of at least {MinRsaBits} bits.");
        }

        var ec = ECDsa.Create();
        return TryImport(ec, pem)
            ? new ECDsaSecurityKey(ec)
            : throw new InvalidOperationException(
                $"{setting} must be one RSA or EC public key in PEM, from -----BEGIN PUBLIC KEY----- on, with its line breaks. "
                + "`openssl pkey -in private.pem -pubout` prints it.");
    }

    private static bool TryImport(AsymmetricAlgorithm key, string pem)
    {
        try
        {
            key.ImportFromPem(pem);
            return true;
        }
        catch (Exception exception) when (exception is ArgumentException or CryptographicException)
        {
            key.Dispose();
            return false;
        }
    }

    private static string AlgorithmOf(ECDsaSecurityKey key) => key.KeySize switch
    {
        256 => SecurityAlgorithms.EcdsaSha256,
        384 => SecurityAlgorithms.EcdsaSha384,
        _ => SecurityAlgorithms.EcdsaSha512,
    };
}
