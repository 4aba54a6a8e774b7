using System.Globalization;
using System.Security.Claims;
using System.Text;
using System.Text.Json;
using Collab.Server.Security;

namespace Collab.PostgresChanges.RowSecurity;

/// <summary>Somebody who reads rows, as the database knows him. Those who are equal see the same.</summary>
/// <param name="Role">The role that he has there.</param>
/// <param name="Claims">What his token says of him, as a JSON object with sorted names.</param>
internal sealed record RowReader(string Role, string Claims)
{
    // What differs between two tokens of one user, and what they may do here. ASP.NET Core may have renamed the subject.
    private static readonly string[] LeftOut = ["iat", "nbf", "exp", "jti", Grant.ClaimType, ClaimTypes.NameIdentifier];

    /// <summary>Null when he has none of the roles.</summary>
    public static RowReader? Of(ClaimsPrincipal user, RowSecurityOptions options)
    {
        var named = user.FindAll(options.RoleClaim).Select(claim => claim.Value).ToArray();
        // Who names others than these is not taken for somebody who names none.
        var role = named.Length == 0 ? options.DefaultRole : named.FirstOrDefault(options.Roles.Contains);
        return role is null ? null : new RowReader(role, ClaimsOf(user));
    }

    private static string ClaimsOf(ClaimsPrincipal user)
    {
        using var output = new MemoryStream();
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            var claims = user.Claims.Where(claim => !LeftOut.Contains(claim.Type)).Select(claim => (claim.Type, Claim: claim)).ToList();
            if (SubjectUserIdProvider.ClaimOf(user) is { } subject && !claims.Exists(one => one.Type == "sub"))
                claims.Add(("sub", subject));
            foreach (var named in claims.GroupBy(one => one.Type, one => one.Claim, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal))
            {
                json.WritePropertyName(named.Key);
                if (named.Count() > 1)
                    json.WriteStartArray();
                foreach (var claim in named)
                    Write(json, claim);
                if (named.Count() > 1)
                    json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(output.ToArray());
    }

    // As a JWT had them: numbers, booleans and objects keep their types.
    private static void Write(Utf8JsonWriter json, Claim claim)
    {
        switch (claim.ValueType)
        {
            case ClaimValueTypes.Boolean when bool.TryParse(claim.Value, out var value):
                json.WriteBooleanValue(value);
                break;
            case ClaimValueTypes.Integer or ClaimValueTypes.Integer32 or ClaimValueTypes.Integer64
                when long.TryParse(claim.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value):
                json.WriteNumberValue(value);
                break;
            case "JSON" or "JSON_ARRAY" when IsJson(claim.Value):
                json.WriteRawValue(claim.Value);
                break;
            default:
                json.WriteStringValue(claim.Value);
                break;
        }
    }

    private static bool IsJson(string text)
    {
        try
        {
            using var _ = JsonDocument.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
