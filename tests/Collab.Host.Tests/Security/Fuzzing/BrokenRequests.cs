using System.Text;
using Collab.Crdt.Tests.Documents;

namespace Collab.Host.Tests.Security.Fuzzing;

/// <summary>Breaks HTTP requests, from the request line to the body.</summary>
internal sealed class BrokenRequests(Random random, string token)
{
    private static readonly (string Method, string Path, string Body)[] Real =
    [
        ("GET", "/documents?limit=5&prefix=fuzz", ""),
        ("GET", "/documents/fuzz%2F0", ""),
        ("GET", "/channels/fuzz%2Fchannel/messages?wait=0&limit=3", ""),
        ("GET", "/channels/fuzz%2Fchannel/members", ""),
        ("GET", "/channels/fuzz%2Fchannel/events?rewind=2", ""),
        ("GET", "/events?channel=fuzz%2Fa&channel=fuzz%2Fb&rewind=1", ""),
        ("GET", "/health/ready", ""),
        ("GET", "/openapi/v1.json", ""),
        ("GET", "/d/fuzz", ""),
        ("GET", "/hubs/collab?id=nobody", ""),
        ("POST", "/hubs/collab/negotiate?negotiateVersion=1", ""),
        ("POST", "/hubs/collab?id=nobody", "{}"),
        ("POST", "/hubs/collab/refresh?session=fuzz", ""),
        ("POST", "/channels/fuzz%2Fchannel/messages", """{"event":"said","data":{"text":"hello","n":[1,2.5,null]},"idempotencyKey":"k1"}"""),
        ("POST", "/channels/fuzz%2Fchannel/messages", """[{"event":"said","data":"one"},{"event":"said","data":{"two":2}}]"""),
        ("POST", "/tickets", """{"path":"/channels/fuzz/events"}"""),
        ("POST", "/admin/revocations", """{"user":"nobody","document":"fuzz/0"}"""),
    ];

    private static readonly string[] Lines =
    [
        "GET", "GET /", "GET / HTTP/9.9", "GET  / HTTP/1.1", "get / HTTP/1.1", "GET / HTTP/1.1 x", " GET / HTTP/1.1", "GET\t/ HTTP/1.1",
        "GET / http/1.1", "GET /\0 HTTP/1.1", "GET * HTTP/1.1", "OPTIONS * HTTP/1.1", "GET http://[::1 HTTP/1.1", "GET //%2f%2f HTTP/1.1",
        "CONNECT localhost:1 HTTP/1.1", "TRACE / HTTP/1.1", "BREW /pot HTTP/1.1", "GET documents HTTP/1.1", "PRI * HTTP/2.0\r\n\r\nSM",
        "GET http://elsewhere/documents HTTP/1.1", "GET /documents#part HTTP/1.1", "GET / HTTP/1.1\n", "\r\n\r\n\r\nGET / HTTP/1.1", "GET /\u00ff HTTP/1.1",
    ];

    private static readonly string[] Headers =
    [
        "NoColon", "Space before : x", ": nameless", "Folded: a\r\n b", "Nul: a\0b", "Return: a\rb", "Host: other", "Host:", "Latin: \u00e9\u00ff",
        "Content-Length: 1\r\nContent-Length: 2", "Transfer-Encoding: chunked\r\nContent-Length: 5", "Transfer-Encoding: gzip, identity",
        "Expect: 200-nonsense", "Connection: upgrade, close, keep-alive", "Upgrade: h2c\r\nConnection: upgrade", "N(ame: x", "X-Forwarded-For: a, , ::",
        "Cookie: a=b; =; ;;;\u00ff", "Accept-Encoding: ;q=5", "Date: never", "Keep-Alive: -1", "TE: trailers\r\nTrailer: Host",
    ];

    private static readonly string[] Conditions =
    [
        "Accept: text/plain;q=2, ;;, */*;q=-1", "Accept: application/", "If-None-Match: W/", "If-None-Match: \"a", "If-Modified-Since: yesterday",
        "Range: bytes=5-1", "Range: bytes=0-0,1-1,2-2,9999999999999999999-", "Last-Event-ID: \u00ff", "Last-Event-ID: -1,-1", "Last-Event-ID: aa33c67aa2d5-99999999999999999999",
        "Idempotency-Key: \u00e9", "Origin: null", "Origin: http://", "Origin: http://localhost\r\nOrigin: http://localhost", "Sec-Fetch-Site: cross-site",
        "Access-Control-Request-Method: \u00ff\r\nOrigin: http://elsewhere", "Content-Encoding: gzip", "Content-Type: application/json; charset=utf-99",
        "Content-Type: application/json; charset=utf-16", "Content-Type: ;", "Content-Type: multipart/form-data; boundary=", "Content-Type: text/plain",
    ];

    private static readonly string[] Escapes =
    [
        "%", "%z", "%zz", "%0", "%00", "%c0%af", "%ff%fe", "%ed%a0%80", "%u1234", "..%2f..%2f", "..%5c", "%2e%2e/", "/../../", "//", "%25%32%46", "%F0%9F%98",
        "\u00e9", ";x=1", "%0d%0aX:%20y", "%E2%80%AE", "+", "%2F%2F%2F", "a%00b", "~", ":", "@", "*", "\\", "|", "^", "`", "{0}",
    ];

    private static readonly string[] Values =
    [
        "", "abc", "-1", "0", "1e999", "NaN", "Infinity", "-0", "0x10", "99999999999999999999", "1.5", "%00", "%ff", "\u0661", "aa33c67aa2d5-1", "-", "1-1",
        "aa33c67aa2d5-", "%20", "true", "[]",
    ];

    private static readonly string[] Bodies =
    [
        "", "null", "[]", "{}", "[[]]", "[null]", "\"text\"", "1", "{", "}", "nul", "{\"event\":1}", "{\"event\":\"a\",\"data\":}", "{\"event\":\"\\ud800\"}",
        "{\"event\":\"a\",\"data\":\"\\udc00\"}", "{\"event\":\"a\",\"data\":1e99999}", "{\"event\":\"a\",\"event\":\"b\"}", "{\"__proto__\":1,\"event\":\"a\",\"data\":{\"__proto__\":1}}",
        "{\"path\":1}", "{\"path\":\"\\u0000\"}", "{\"path\":\"/%zz\"}", "{\"path\":\"//\"}", "{\"path\":\"\\ud800\"}", "{\"user\":[]}", "{\"user\":\"\"}", "{\"session\":{}}", "{\"document\":\"..//\"}",
        "{\"document\":\"fuzz/0\",\"channel\":\"x\"}", "{\"user\":\"\\ud800\"}", "\ufeff{}", "// comment\n{}", "{'a':1}", "[1,]",
    ];

    /// <summary>The next broken request.</summary>
    public Broken Next()
    {
        var (method, path, body) = random.Pick(Real);
        return random.Next(16) switch
        {
            0 => Of("request line", Request(random.Pick(Lines), [], "")),
            1 => Of("request line", Request($"{method} /{new string('a', random.Next(4_000, 20_000))} HTTP/1.1", [], "")),
            2 => Of("headers", Request(Line(method, path), [random.Pick(Headers)], body)),
            3 => Of("huge headers", Request(Line(method, path), Huge(), body)),
            4 => Of("conditions and types", Request(Line(method, path), [random.Pick(Conditions), random.Pick(Conditions)], body)),
            5 => new Broken("chunked body", Chunked(body.Length > 0 ? path : "/tickets")),
            6 or 7 => Of("escapes", Request(Line(method, Escaped(path)), [], body)),
            8 or 9 => Of("values in the query", Request(Line(method, Queried(path)), [], body)),
            10 or 11 => new Broken("JSON body", Posted(random.Pick(Real[^4..]))),
            12 => Of("a Content-Length that lies", Lying(path)),
            13 => Of("credentials", Request(Line(method, path), ["Authorization: " + Credentials()], body, signedIn: false)),
            14 => new Broken("damaged bytes", Damaged(Request(Line(method, path), [], body))),
            _ => random.OneIn(2)
                ? new Broken("not HTTP", random.NextBytes(random.Next(1, 2_000)))
                : Of("several at once", string.Concat(Enumerable.Repeat(Request(Line(method, path), [], body).Replace("Connection: close\r\n", "", StringComparison.Ordinal), random.Next(2, 8)))
                    + Request(random.Pick(Lines), [], "")),
        };
    }

    private static Broken Of(string kind, string request) => new(kind, Encoding.Latin1.GetBytes(request));

    private static string Line(string method, string path) => $"{method} {path} HTTP/1.1";

    private string Request(string line, string[] headers, string body, bool signedIn = true)
    {
        var request = new StringBuilder($"{line}\r\nHost: localhost\r\nConnection: close\r\n");
        if (signedIn)
            request.Append("Authorization: Bearer ").Append(token).Append("\r\n");
        foreach (var header in headers)
            request.Append(header).Append("\r\n");
        if (body.Length > 0)
        {
            if (!headers.Any(header => header.StartsWith("Content-Type", StringComparison.Ordinal)))
                request.Append("Content-Type: application/json\r\n");
            request.Append("Content-Length: ").Append(body.Length).Append("\r\n");
        }

        return request.Append("\r\n").Append(body).ToString();
    }

    private string[] Huge() => random.Next(3) switch
    {
        0 => [$"X-Huge: {new string('h', random.Next(8_000, 60_000))}"],
        1 => [.. Enumerable.Range(0, random.Next(90, 500)).Select(i => $"X-{i}: {i}")],
        _ => [$"Accept: {string.Concat(Enumerable.Repeat("a/b;q=0.1,", random.Next(100, 2_500)))}*/*"],
    };

    private string Escaped(string path)
    {
        var at = random.Next(1, path.Length + 1);
        return path.Insert(at, random.Pick(Escapes)) + (random.OneIn(3) ? random.Pick(Escapes) : "");
    }

    private string Queried(string path)
    {
        var query = new StringBuilder(path.Split('?')[0]);
        var separator = '?';
        for (var i = random.OneIn(20) ? 300 : random.Next(1, 5); i > 0; i--, separator = '&')
        {
            var name = random.Pick(["limit", "wait", "after", "rewind", "prefix", "channel", "root", "id", "ticket", "session", "negotiateVersion", ""]);
            query.Append(separator).Append(name).Append('=').Append(random.Pick(Values));
        }

        return query.ToString();
    }

    private byte[] Posted((string Method, string Path, string Body) real)
    {
        byte[] body = random.Next(4) switch
        {
            0 => Encoding.UTF8.GetBytes(random.Pick(Bodies)),
            1 => Encoding.ASCII.GetBytes($$"""{"event":"a","data":{{new string('[', random.Pick([30, 61, 65, 4_100, 60_000]))}}"""),
            2 => Encoding.UTF8.GetBytes(real.Body[..random.Next(real.Body.Length)]),
            _ => Mutations.Damage(random, Encoding.UTF8.GetBytes(real.Body), [0xc3, 0x28, 0xff]),
        };
        var head = Request(Line(real.Method, real.Path), ["Content-Type: application/json", $"Content-Length: {body.Length}"], "");
        return [.. Encoding.Latin1.GetBytes(head), .. body];
    }

    private byte[] Chunked(string path)
    {
        var head = Request(Line("POST", path), ["Content-Type: application/json", "Transfer-Encoding: chunked"], "");
        var chunks = random.Next(8) switch
        {
            0 => "zz\r\nhello\r\n0\r\n\r\n",
            1 => "-5\r\nhello\r\n0\r\n\r\n",
            2 => "FFFFFFFFFFFFFFFFF\r\nhello",
            3 => "7fffffff\r\nhello",
            4 => $"5;{new string('x', random.Next(100, 20_000))}\r\nhello\r\n0\r\n\r\n",
            5 => "5\r\nhelloX\r\n0\r\n\r\n",
            6 => "2\r\n{}\r\n0\r\nTrailer without colon\r\n\r\n",
            _ => string.Concat(Enumerable.Repeat("1\r\n \r\n", random.Next(1, 2_000))) + "0\r\n\r\n",
        };
        return Encoding.Latin1.GetBytes(head + chunks);
    }

    private string Lying(string path)
    {
        var length = random.Pick(["0", "1", "5", "100", "-1", "abc", "99999999999999999999", "9000000", "2147483648", "", "1,2", "0x5", "+3"]);
        var posted = random.OneIn(2) ? path : "/channels/fuzz%2Fchannel/messages";
        return Request(Line("POST", posted), ["Content-Type: application/json", $"Content-Length: {length}"], "") + """{"event":"a","data":1}""";
    }

    private string Credentials() => random.Next(6) switch
    {
        0 => "Bearer " + Encoding.Latin1.GetString(Mutations.Damage(random, Encoding.Latin1.GetBytes(token), "..."u8)).Replace("\n", "", StringComparison.Ordinal),
        1 => "Bearer " + new string('.', random.Next(1, 6_000)),
        2 => "Bearer",
        3 => $"Bearer {token[..token.LastIndexOf('.')]}.",
        4 => $"Basic {token}",
        _ => "Bearer " + Convert.ToBase64String(random.NextBytes(random.Next(1, 300))) + ".e30.x",
    };

    private byte[] Damaged(string request)
    {
        var bytes = Encoding.Latin1.GetBytes(request);
        return random.OneIn(3) ? bytes[..random.Next(bytes.Length)] : Mutations.Damage(random, bytes, "\r\n\r\n"u8);
    }
}
