using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Collab.Host.Tests.Security;

/// <summary>Tokens as <c>dotnet user-jwts create</c> makes them, and the settings that it writes for the server.</summary>
internal static class Tokens
{
    public const string Issuer = "dotnet-user-jwts";
    public const string Audience = "http://localhost:5080";

    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);

    /// <summary>The server's settings, as environment variables.</summary>
    public static (string, string)[] Settings { get; } =
    [
        ("Authentication__Schemes__Bearer__ValidIssuer", Issuer),
        ("Authentication__Schemes__Bearer__ValidAudiences__0", Audience),
        ("Authentication__Schemes__Bearer__SigningKeys__0__Issuer", Issuer),
        ("Authentication__Schemes__Bearer__SigningKeys__0__Value", Convert.ToBase64String(Key)),
    ];

    /// <summary>A token that is in order.</summary>
    /// <param name="grants">The claim <c>collab</c>, as JSON.</param>
    /// <param name="user">Whose it is.</param>
    public static string Of(string grants, string user = "ada") => Sign(grants, Key, user: user);

    /// <summary>A token that is signed otherwise.</summary>
    public static string Of(string grants, SigningCredentials credentials, string issuer = Issuer) =>
        new JsonWebTokenHandler().CreateToken(Payload(grants, issuer, Audience, TimeSpan.FromHours(1), TimeSpan.FromHours(-2), "ada"), credentials);

    /// <summary>Tokens that are not, each named by what is wrong with it.</summary>
    public static Dictionary<string, string> Wrong(string grants) => new()
    {
        ["another key"] = Sign(grants, RandomNumberGenerator.GetBytes(32)),
        ["expired"] = Sign(grants, Key, lifetime: TimeSpan.FromHours(-1)),
        ["not yet valid"] = Sign(grants, Key, notBefore: TimeSpan.FromMinutes(10)),
        ["another issuer"] = Sign(grants, Key, issuer: "mallory"),
        ["another audience"] = Sign(grants, Key, audience: "http://elsewhere"),
        ["alg none"] = new JsonWebTokenHandler().CreateToken(Payload(grants, Issuer, Audience, TimeSpan.FromHours(1), TimeSpan.FromHours(-2), "ada")),
        ["no token at all"] = "nonsense",
    };

    private static string Sign(
        string grants,
        byte[] key,
        string issuer = Issuer,
        string audience = Audience,
        TimeSpan? lifetime = null,
        TimeSpan? notBefore = null,
        string user = "ada") =>
        new JsonWebTokenHandler().CreateToken(
            Payload(grants, issuer, audience, lifetime ?? TimeSpan.FromHours(1), notBefore ?? TimeSpan.FromHours(-2), user),
            new SigningCredentials(new SymmetricSecurityKey(key), SecurityAlgorithms.HmacSha256));

    private static string Payload(string grants, string issuer, string audience, TimeSpan lifetime, TimeSpan notBefore, string user)
    {
        var now = DateTimeOffset.UtcNow;
        return JsonSerializer.Serialize(new
        {
            sub = user,
            iss = issuer,
            aud = audience,
            nbf = (now + notBefore).ToUnixTimeSeconds(),
            exp = (now + lifetime).ToUnixTimeSeconds(),
            collab = JsonElement.Parse(grants),
        });
    }
}
