using System.Security.Cryptography;
using NSec.Cryptography;

namespace Collab.Webhooks;

/// <summary>A key that requests are signed with, as Standard Webhooks has it (standardwebhooks.com, the specification's chapter on signatures).</summary>
internal sealed class WebhookKey : IDisposable
{
    private const string SecretPrefix = "whsec_";
    private const string PrivatePrefix = "whsk_";
    private const int LeastSecret = 24;
    private const int LongestSecret = 64;

    private readonly byte[]? _secret;
    private readonly Key? _key;

    private WebhookKey(byte[] secret) => _secret = secret;

    private WebhookKey(Key key) => _key = key;

    public static bool IsKey(string text)
    {
        using var key = Parse(text);
        return key is not null;
    }

    /// <summary>Reads a key; null when it is none.</summary>
    public static WebhookKey? Parse(string text)
    {
        var isPrivate = text.StartsWith(PrivatePrefix, StringComparison.Ordinal);
        if (!isPrivate && !text.StartsWith(SecretPrefix, StringComparison.Ordinal))
            return null;
        var bytes = new byte[text.Length];
        if (!Convert.TryFromBase64String(text[(isPrivate ? PrivatePrefix : SecretPrefix).Length..], bytes, out var length))
            return null;
        if (!isPrivate)
            return length is < LeastSecret or > LongestSecret ? null : new WebhookKey(bytes[..length]);
        // Seed alone, or seed and public key, as libraries keep it.
        if (length != SignatureAlgorithm.Ed25519.PrivateKeySize && length != SignatureAlgorithm.Ed25519.PrivateKeySize + SignatureAlgorithm.Ed25519.PublicKeySize)
            return null;
        return new WebhookKey(Key.Import(SignatureAlgorithm.Ed25519, bytes.AsSpan(0, SignatureAlgorithm.Ed25519.PrivateKeySize), KeyBlobFormat.RawPrivateKey));
    }

    /// <summary>Signs, and says by which method: <c>v1,</c> or <c>v1a,</c> and base64.</summary>
    public string Sign(ReadOnlySpan<byte> content) => _key is null
        ? "v1," + Convert.ToBase64String(HMACSHA256.HashData(_secret!, content))
        : "v1a," + Convert.ToBase64String(SignatureAlgorithm.Ed25519.Sign(_key, content));

    public void Dispose() => _key?.Dispose();
}
