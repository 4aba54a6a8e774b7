using Collab.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace Collab.Server.Nodes;

/// <summary>
/// Lets any node take any request of a hub connection, so that no balancer needs to know which node has it: a connection token begins with
/// the id of its node, and another node passes the request on there, before it looks at anything else.
/// </summary>
internal sealed class ConnectionRouting(NodeBus bus, NodeDirectory nodes, IEnumerable<INodeForwarder> forwarders) : IStartupFilter
{
    private const char Separator = '.';
    private const string Parameter = "id";

    private readonly INodeForwarder? _forwarder = forwarders.LastOrDefault();

    /// <summary>The connection token that a client is given.</summary>
    public string Mark(string token) => _forwarder is null ? token : bus.Id + Separator + token;

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        if (_forwarder is not null)
            app.Use((context, following) => RouteAsync(_forwarder, context, following));
        next(app);
    };

    private async Task RouteAsync(INodeForwarder forwarder, HttpContext context, RequestDelegate next)
    {
        var isForwarded = forwarder.IsForwarded(context);
        if (!IsOfHub(context.Request.Path) || context.Request.Query[Parameter] is not [{ } id] || id.IndexOf(Separator, StringComparison.Ordinal) is not (> 0 and var length))
        {
            await next(context);
            return;
        }

        var node = id[..length];
        if (node == bus.Id)
        {
            Replace(context.Request, id[(length + 1)..]);
            await next(context);
        }
        else if (isForwarded || nodes.AddressOf(node) is not { Length: > 0 } address || !await forwarder.ForwardAsync(context, address))
        {
            // The node is gone, and the connection with it: the client begins anew at once.
            await CollabProblemFilter.RefuseAsync(context, new CollabException(ErrorCodes.NotFound, "there is no such connection"));
        }
    }

    private static bool IsOfHub(PathString path) =>
        path.Value is { } text
        && (text.EndsWith(HubContract.Path, StringComparison.OrdinalIgnoreCase)
            || text.EndsWith(HubContract.Path + "/refresh", StringComparison.OrdinalIgnoreCase));

    private static void Replace(HttpRequest request, string id)
    {
        var query = new QueryBuilder();
        foreach (var (name, values) in request.Query)
        {
            if (name != Parameter)
                query.Add(name, values.ToArray()!);
        }

        query.Add(Parameter, id);
        request.QueryString = query.ToQueryString();
    }
}
