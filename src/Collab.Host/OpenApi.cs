using Collab.Protocol;
using Collab.Server.Security;
using Microsoft.OpenApi;

namespace Collab.Host;

/// <summary>The description of all HTTP routes (OpenAPI 3.1), and in Development a page to browse it and try them.</summary>
internal static class OpenApi
{
    private const string Document = "/openapi/v1.json";

    public static void AddCollabOpenApi(this IServiceCollection services) => services.AddOpenApi("v1", options =>
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Collab",
                Version = "v1",
                Description = $"Documents and channels over HTTP. Real-time clients use the SignalR hub at `{HubContract.Path}`. "
                    + "Names with `/` are one segment of a path, with `%2F`. Errors are problem documents (RFC 9457) with a stable `code`.",
            };
            foreach (var what in (string[])["live", "ready"])
                document.Paths.Add($"/health/{what}", Health(what));
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
            document.Components.SecuritySchemes["bearer"] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                BearerFormat = "JWT",
                Description = "A JSON Web Token whose claim `collab` grants what may be done.",
            };
            document.Components.SecuritySchemes["ticket"] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey,
                In = ParameterLocation.Query,
                Name = TicketDefaults.QueryParameter,
                Description = "Where no header can be sent, a ticket of `POST /tickets`: for this path, once, within 30 seconds.",
            };
            document.Security ??= [];
            document.Security.Add(new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("bearer", document)] = [] });
            document.Security.Add(new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("ticket", document)] = [] });
            return Task.CompletedTask;
        }));

    public static void MapCollabOpenApi(this WebApplication app)
    {
        app.MapOpenApi("/openapi/{documentName}.json").AllowAnonymous();
        if (!app.Environment.IsDevelopment())
            return;
        app.UseWhen(context => context.Request.Path.StartsWithSegments("/openapi"), branch => branch.UseSwaggerUI(page =>
        {
            page.RoutePrefix = "openapi";
            page.DocumentTitle = "Collab over HTTP";
            page.SwaggerEndpoint(Document, "Collab");
        }));
    }

    // Health checks do not describe themselves.
    private static OpenApiPathItem Health(string what)
    {
        var get = new OpenApiOperation
        {
            Summary = what == "live" ? "Whether the server runs" : "Whether joins and pushes will succeed now",
            Tags = new HashSet<OpenApiTagReference> { new("Health") },
            Security = [],
            Responses = new OpenApiResponses { ["200"] = Response("Yes."), ["503"] = Response("No.") },
        };
        return new OpenApiPathItem { Operations = new Dictionary<HttpMethod, OpenApiOperation> { [HttpMethod.Get] = get } };
    }

    private static OpenApiResponse Response(string description) => new()
    {
        Description = description,
        Content = new Dictionary<string, OpenApiMediaType> { ["application/json"] = new OpenApiMediaType() },
    };
}
