using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Collab.Protocol;
using Collab.Testing;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;

namespace Collab.Host.Tests.Security;

/// <summary>Whatever the log is set to, it does not hold what lets somebody in.</summary>
public sealed class SecretsInLogsTests
{
    private const string Grants = """[{ "document": "*", "access": ["read"] }, { "channel": "*", "access": ["subscribe"] }]""";
    private const string Poll = "/channels/c/messages";

    /// <summary>Everything, and what writes addresses once more by its own name.</summary>
    private static readonly (string, string)[] TraceAll =
    [
        ("Logging__LogLevel__Default", "Trace"),
        ("Logging__LogLevel__Microsoft.AspNetCore", "Trace"),
        ("Logging__LogLevel__Microsoft.AspNetCore.SignalR.Internal.DefaultHubDispatcher", "Trace"),
        ("Logging__LogLevel__Microsoft.AspNetCore.Hosting.Diagnostics", "Trace"),
        ("Logging__Console__LogLevel__Default", "Trace"),
        ("Logging__Console__LogLevel__Microsoft.AspNetCore.Hosting.Diagnostics", "Trace"),
        ("Logging__Console__IncludeScopes", "true"),
    ];

    [Fact]
    public async Task No_token_and_no_ticket_is_logged_even_when_everything_is()
    {
        using var folder = new TemporaryFolder();
        await using var host = await HostProcess.Launch(folder.Path, "Production",
            [.. Tokens.Settings, .. TraceAll, ("Collab__Security__AcceptAccessTokenInQuery", "true")]).ReadyAsync();
        var secrets = new List<string>();
        foreach (var token in Tokens.Wrong(Grants).Values.Where(token => token.Contains('.', StringComparison.Ordinal)).Prepend(Tokens.Of(Grants)))
        {
            secrets.Add(token);
            await GetAsync(host, "/documents", token);
            await TryConnectAsync(host, $"access_token={token}");
        }

        var good = secrets[0];
        foreach (var address in (string[])[$"{Poll}?wait=0", "/channels/elsewhere/messages?wait=0", "/nowhere?x=1", "/index.html?x=1"])
        {
            secrets.Add(await TicketAsync(host, good, Poll));
            await GetAsync(host, $"{address}&ticket={secrets[^1]}");
            await GetAsync(host, $"{address}&ticket={secrets[^1]}");
        }

        secrets.Add(await TicketAsync(host, good, HubContract.Path));
        await TryConnectAsync(host, $"ticket={secrets[^1]}");
        secrets.Add(await TicketAsync(host, good, Poll));
        await SendNonsenseAsync(host, secrets[^1]);
        Assert.Equal(0, await host.TerminateAsync());

        // The last part of a token is its signature, without which the rest opens nothing.
        var parts = secrets.Select(secret => secret[(secret.LastIndexOf('.') + 1)..]).Where(part => part.Length > 0).ToArray();
        Assert.True(host.Lines.Count > 500, "It logged next to nothing.");
        Assert.Contains(host.Lines, line => line.Contains("Ticket was not authenticated", StringComparison.Ordinal));
        Assert.DoesNotContain(host.Lines, line => parts.Any(part => line.Contains(part, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_ticket_in_a_plain_address_that_is_sent_to_https_is_not_logged()
    {
        using var folder = new TemporaryFolder();
        await using var host = await HostProcess.Launch(
            folder.Path, "Production", [.. Tokens.Settings, .. TraceAll, ("Collab__Https__Required", "true")]).ReadyAsync();
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var http = new HttpClient(handler);
        using var answer = await http.GetAsync(new Uri($"{host.Url}{Poll}?ticket=nobody-shall-read-this"));
        Assert.Equal(0, await host.TerminateAsync());

        Assert.EndsWith("?ticket=nobody-shall-read-this", answer.Headers.Location?.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(host.Lines, line => line.Contains("nobody-shall-read-this", StringComparison.Ordinal));
    }

    private static async Task GetAsync(HostProcess host, string address, string? token = null)
    {
        using var http = new HttpClient();
        if (token is not null)
            http.DefaultRequestHeaders.Add("Authorization", $"Bearer {token}");
        using var answer = await http.GetAsync(new Uri(host.Url + address));
    }

    private static async Task<string> TicketAsync(HostProcess host, string token, string path)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Add("Authorization", $"Bearer {token}");
        using var body = new StringContent(JsonSerializer.Serialize(new { path }), Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri($"{host.Url}/tickets"), body);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (await answer.JsonAsync()).GetProperty("ticket").GetString()!;
    }

    private static async Task TryConnectAsync(HostProcess host, string query)
    {
        await using var connection = new HubConnectionBuilder().WithUrl($"{host.Url}{HubContract.Path}?{query}", options =>
        {
            options.Transports = HttpTransportType.WebSockets;
            options.SkipNegotiation = true;
        }).Build();
        try
        {
            await connection.StartAsync();
            await new TestClient(connection).JoinAsync("d");
        }
        catch (Exception exception) when (exception is System.Net.WebSockets.WebSocketException or HttpRequestException)
        {
            // Refused, as it should be.
        }
    }

    /// <summary>Sends an address that is none.</summary>
    private static async Task SendNonsenseAsync(HostProcess host, string ticket)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", new Uri(host.Url).Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET /%00?ticket={ticket} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        using var reader = new StreamReader(stream);
        Assert.StartsWith("HTTP/1.1 400", await reader.ReadLineAsync(), StringComparison.Ordinal);
    }
}
