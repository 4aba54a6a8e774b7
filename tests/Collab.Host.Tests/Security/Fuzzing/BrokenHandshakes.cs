using System.Text;
using Collab.Crdt.Tests.Documents;

namespace Collab.Host.Tests.Security.Fuzzing;

/// <summary>Breaks the first message of a hub connection.</summary>
internal sealed class BrokenHandshakes(Random random)
{
    private static readonly string[] Odd =
    [
        """{"protocol":"yaml","version":1}""", """{"protocol":"json","version":99}""", """{"protocol":"json","version":-1}""",
        """{"protocol":"json"}""", """{"version":1}""", "{}", "[]", "null", "\"json\"", "1", "", " ",
        """{"protocol":1,"version":"1"}""", """{"protocol":null,"version":null}""", """{"protocol":"json","version":1e99}""",
        """{"protocol":"json","version":1,"protocol":"messagepack"}""", """{"protocol":"JSON","version":1}""",
        """{"type":1,"invocationId":"1","target":"JoinDocument","arguments":["d","AA=="]}""",
        """{"protocol":"messagepack","version":1}{"protocol":"json","version":1}""",
    ];

    /// <summary>The next broken handshake.</summary>
    /// <param name="ends">Whether it has an end, so that the server answers.</param>
    public Broken Next(out bool ends)
    {
        byte[] good = [.. """{"protocol":"json","version":1}"""u8];
        var (kind, bytes) = random.Next(6) switch
        {
            0 or 1 => ("another protocol, version or shape", Encoding.UTF8.GetBytes(random.Pick(Odd))),
            2 => ("damaged", Mutations.Damage(random, good, good)),
            3 => ("not JSON", random.NextBytes(random.Next(1, 100))),
            4 => ("deep or long", random.OneIn(2)
                ? Encoding.ASCII.GetBytes(new string('[', random.Next(1, 5_000)))
                : Encoding.ASCII.GetBytes($$"""{"protocol":"{{new string('p', random.Next(1_000, 40_000))}}","version":1}""")),
            _ => ("without an end", good[..random.Next(good.Length)]),
        };
        ends = kind != "without an end";
        return new Broken(kind, ends ? [.. bytes, HubMessage.EndOfJson] : bytes);
    }
}
