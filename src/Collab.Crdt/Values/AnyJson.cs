using System.Text;

namespace Collab.Crdt;

/// <summary>Values as JSON, with the very characters that JavaScript's <c>JSON.stringify</c> writes.</summary>
internal static class AnyJson
{
    public static string Stringify(in Any value) => throw new NotImplementedException(value.Kind.ToString() + Encoding.UTF8);
}
