using System.Net;
using System.Net.Sockets;
using System.Text;
using Collab.Host.Tests.Security;
using Collab.Protocol;
using Collab.Testing;

namespace Collab.Host.Tests.Limits;

/// <summary>What the ready-made server adds to the limits: where callers come from, how slowly they may ask, and that guests have none.</summary>
public sealed class HostLimitTests : IDisposable
{
    private const string Grants = """[{ "channel": "*", "access": ["subscribe"] }]""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task From_one_address_there_are_so_many_connections_whoever_their_users_are()
    {
        await using var host = await HostProcess.Launch(_folder.Path, environment: null, settings:
        [
            .. Tokens.Settings, ("Collab__Limits__ConnectionsPerAddress", "3"), ("Collab__Proxies__KnownProxies__0", "127.0.0.1"),
        ]).ReadyAsync();
        using var http = new HttpClient();
        var open = new List<HttpResponseMessage>();
        for (var i = 0; i < 3; i++)
            open.Add(await FollowAsync(http, host, $"user {i}", "2001:db8:1:2::1"));

        // The network counts, of which a customer has all addresses.
        using var refused = await FollowAsync(http, host, "user 4", "2001:db8:1:2:ffff::7");
        using var elsewhere = await FollowAsync(http, host, "user 4", "2001:db8:1:3::1");

        Assert.All(open, one => Assert.Equal(HttpStatusCode.OK, one.StatusCode));
        Assert.Equal((HttpStatusCode.TooManyRequests, ErrorCodes.TooMany), (refused.StatusCode, await refused.CodeAsync()));
        Assert.Equal(HttpStatusCode.OK, elsewhere.StatusCode);
        open.ForEach(one => one.Dispose());
    }

    [Fact]
    public async Task Who_drips_his_request_is_cut_off_while_others_are_served()
    {
        await using var host = await HostProcess.Launch(_folder.Path).ReadyAsync();
        using var slow = new TcpClient();
        await slow.ConnectAsync("127.0.0.1", new Uri(host.Url).Port);
        await using var stream = slow.GetStream();
        await stream.WriteAsync("POST /hubs/collab/negotiate?negotiateVersion=1 HTTP/1.1\r\nHost: localhost\r\n"u8.ToArray());

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var answer = ReadAsync(stream, patience.Token);
        for (var i = 0; !answer.IsCompleted; i++)
        {
            try
            {
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"X-{i}: 1\r\n"), patience.Token);
            }
            catch (IOException)
            {
                break;
            }

            Assert.Equal(HttpStatusCode.OK, await host.HealthAsync("ready"));
            await Task.Delay(500, patience.Token);
        }

        // Told that it took too long, or only cut off.
        Assert.Matches("^$|^HTTP/1.1 408 ", await answer);
    }

    [Fact]
    public async Task Guests_in_Development_are_one_user_and_have_no_limits_of_their_own()
    {
        await using var host = await HostProcess.Launch(_folder.Path).ReadyAsync();
        using var http = new HttpClient();

        var answers = await Task.WhenAll(Enumerable.Range(0, 3_000).Select(async _ =>
        {
            using var answer = await http.GetAsync(new Uri(host.Url + "/channels/c/messages?wait=0"));
            return answer.StatusCode;
        }));

        Assert.All(answers, status => Assert.Equal(HttpStatusCode.OK, status));
    }

    private static async Task<string> ReadAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        using var said = new MemoryStream();
        try
        {
            await stream.CopyToAsync(said, cancellationToken);
        }
        catch (IOException)
        {
            // Cut off.
        }

        return Encoding.Latin1.GetString(said.ToArray());
    }

    private static async Task<HttpResponseMessage> FollowAsync(HttpClient http, HostProcess host, string user, string address)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(host.Url + "/channels/c/events"));
        request.Headers.Add("Authorization", $"Bearer {Tokens.Of(Grants, user)}");
        request.Headers.Add("X-Forwarded-For", address);
        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }
}
