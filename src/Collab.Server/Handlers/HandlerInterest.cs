using System.Reflection;

namespace Collab.Server.Handlers;

/// <summary>Which of the things that handlers can be told of any of them wants to know: what nobody does costs nothing.</summary>
internal static class HandlerInterest
{
    /// <summary>Whether one of the handlers implements a method of its interface, and does not leave it to the interface's own, which does nothing.</summary>
    public static bool IsIn<THandler>(IEnumerable<THandler> handlers, string method)
        where THandler : notnull =>
        handlers.Any(handler => Implements(handler.GetType().GetInterfaceMap(typeof(THandler)), method));

    private static bool Implements(InterfaceMapping map, string method)
    {
        var number = Array.FindIndex(map.InterfaceMethods, candidate => candidate.Name == method);
        return map.TargetMethods[number] is { } target && target.DeclaringType != map.InterfaceType;
    }
}
