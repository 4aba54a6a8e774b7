namespace Collab.Server.Security;

/// <summary>Authorization policies that an application can ask for at its own endpoints.</summary>
public static class CollabPolicies
{
    /// <summary>The caller may administer this server: he has the grant <c>{ "admin": true }</c>, and it was not revoked.</summary>
    public const string Administration = "Collab.Administration";
}
