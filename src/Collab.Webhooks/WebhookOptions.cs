using System.Net;

namespace Collab.Webhooks;

/// <summary>An address to which events are posted. In the configuration an element of <c>Collab:Events:Webhooks</c>.</summary>
public sealed class WebhookOptions
{
    /// <summary>Where events are posted: an absolute address, <c>https</c> unless <see cref="AllowHttp"/> is set.</summary>
    public string Url { get; set; } = "";

    /// <summary>
    /// The keys that requests are signed with, all of them: so a new one is added before the old one is taken away. <c>whsec_</c> and base64 of 24 to 64
    /// bytes for HMAC-SHA256; <c>whsk_</c> and base64 of a private key (its seed of 32 bytes, or seed and public key) for ed25519.
    /// </summary>
    public IList<string> Keys { get; } = [];

    /// <summary>Whether <see cref="Url"/> may begin with <c>http:</c>. What is sent can be read on its way then. Default false.</summary>
    public bool AllowHttp { get; set; }

    /// <summary>
    /// Networks inside which the address may be, such as <c>10.1.0.0/16</c>. Without it only addresses that everybody can reach are connected to,
    /// whatever a name resolves to: else whoever sets a webhook could send requests into the network of the server.
    /// </summary>
    public IList<string> AllowedNetworks { get; } = [];

    /// <summary>What is wrong with it, as a sentence; null when nothing is.</summary>
    /// <param name="section">Where it stands in the configuration.</param>
    public string? Fault(string section) =>
        !Uri.TryCreate(Url, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttps && url.Scheme != Uri.UriSchemeHttp)
            ? $"{section}:Url must be the address of a webhook, such as https://example.com/collab."
        : url.Scheme == Uri.UriSchemeHttp && !AllowHttp ? $"{section}:Url must begin with https, or {section}:AllowHttp be true."
        : url.UserInfo.Length > 0 ? $"{section}:Url must not contain a user or password."
        : Keys.Count == 0 ? $"{section}:Keys must have a key, such as whsec_ and 24 or more random bytes in base64 (openssl rand -base64 32)."
        : Keys.Any(key => !WebhookKey.IsKey(key)) ? $"{section}:Keys must each be whsec_ and 24 to 64 bytes in base64, or whsk_ and an ed25519 key of 32 or 64 bytes in base64."
        : AllowedNetworks.Any(network => !IPNetwork.TryParse(network, out _)) ? $"{section}:AllowedNetworks must each be a network, such as 10.1.0.0/16."
        : null;
}
