using System.Diagnostics;
using System.Net;
using Collab.Protocol;
using Collab.Testing;

namespace Collab.Host.Tests;

/// <summary>What the ready-made server does when it is started: with no setup in Development, never open to everybody elsewhere.</summary>
public sealed class StartTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_says_where_it_is_and_where_the_data_are_and_makes_their_folder()
    {
        var data = Path.Combine(_folder.Path, "new", "data");

        await using var host = await HostProcess.Launch(data).ReadyAsync();

        Assert.Contains(host.Lines, line => line.EndsWith($"Collab is at {host.Url}", StringComparison.Ordinal));
        Assert.Contains(host.Lines, line => line.EndsWith($"Data are kept in {data}", StringComparison.Ordinal));
        Assert.True(File.Exists(Path.Combine(data, "collab.db")));
    }

    [Fact]
    public async Task In_Development_a_caller_without_a_token_is_a_guest_who_reads_and_writes()
    {
        await using var host = await HostProcess.Launch(_folder.Path, "Development").ReadyAsync();
        var (ada, ben) = (await host.ConnectAsync(), await host.ConnectAsync());
        await ben.JoinAsync("d");
        var typist = new Typist(1);

        Assert.Equal("write", (await ada.JoinAsync("d")).Access);
        await ada.PushAsync("d", typist.Type("hello"));
        Assert.Contains(host.Lines, line => line.Contains("callers without a token are signed in as guests", StringComparison.Ordinal));

        await ben.UntilReadAsync(typist, 5);
    }

    [Theory]
    [InlineData("evil.example", HttpStatusCode.Unauthorized)]
    [InlineData("localhost.evil.example:80", HttpStatusCode.Unauthorized)]
    [InlineData("app.localhost", HttpStatusCode.OK)]
    [InlineData("192.0.2.7:5080", HttpStatusCode.OK)]
    [InlineData("[::1]", HttpStatusCode.OK)]
    public async Task A_guest_does_not_come_by_a_name_that_a_foreign_page_could_have_pointed_here(string name, HttpStatusCode status)
    {
        await using var host = await HostProcess.Launch(_folder.Path).ReadyAsync();

        using var answer = await GetAsync(host, name);

        Assert.Equal(status, answer.StatusCode);
    }

    [Theory]
    [InlineData("localhost", null, HttpStatusCode.OK)]
    [InlineData("127.0.0.1:5080", null, HttpStatusCode.OK)]
    [InlineData("192.0.2.7:5080", null, HttpStatusCode.Forbidden)]
    [InlineData("app.localhost", null, HttpStatusCode.Forbidden)]
    [InlineData("localhost", "X-Forwarded-For", HttpStatusCode.Forbidden)]
    [InlineData("localhost", "Forwarded", HttpStatusCode.Forbidden)]
    public async Task A_guest_administers_the_server_only_from_its_own_machine(string name, string? forwarding, HttpStatusCode status)
    {
        await using var host = await HostProcess.Launch(_folder.Path).ReadyAsync();
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{host.Url}/admin/status") { Headers = { Host = name } };
        if (forwarding is not null)
            request.Headers.Add(forwarding, "for=192.0.2.60");

        using var answer = await http.SendAsync(request);

        Assert.Equal(status, answer.StatusCode);
    }

    [Fact]
    public async Task A_guest_comes_by_a_name_that_the_operator_has_listed()
    {
        await using var host = await HostProcess.Launch(
            _folder.Path, settings: [("AllowedHosts", "collab.test;localhost;127.0.0.1")]).ReadyAsync();

        using var answer = await GetAsync(host, "collab.test");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task A_callers_mistake_is_a_problem_document_in_Development_too()
    {
        await using var host = await HostProcess.Launch(_folder.Path).ReadyAsync();
        using var http = new HttpClient();

        using var answer = await http.GetAsync(new Uri(host.Url + "/channels/c/messages?limit=abc"));

        Assert.Equal((HttpStatusCode.BadRequest, "invalid_argument"), (answer.StatusCode, await answer.CodeAsync()));
    }

    [Fact]
    public async Task A_refused_call_does_not_fill_the_log()
    {
        await using var host = await HostProcess.Launch(_folder.Path).ReadyAsync();
        var client = await host.ConnectAsync();
        await client.JoinAsync("d");
        var before = host.Lines.Count;

        for (var i = 0; i < 50; i++)
            Assert.Equal("invalid_update", await TestClient.CodeOfAsync(client.PushAsync("d", [1, 2, 3])));
        await client.PushAsync("d", new Typist(1).Type("x"));

        Assert.Equal(before, host.Lines.Count);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/d/notes")]
    public async Task A_browser_keeps_its_guest_in_a_cookie_that_scripts_cannot_read(string page)
    {
        await using var host = await HostProcess.Launch(_folder.Path).ReadyAsync();
        using var http = new HttpClient(new HttpClientHandler { UseCookies = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, host.Url + page);
        request.Headers.Accept.ParseAdd("text/html");

        using var answer = await http.SendAsync(request);

        var cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie"));
        Assert.Matches("^collab-guest=[0-9a-f]{8};", cookie);
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task In_Production_a_caller_without_a_token_is_refused()
    {
        await using var host = await HostProcess.Launch(_folder.Path, "Production", Security.Tokens.Settings).ReadyAsync();
        using var http = new HttpClient();

        using var answer = await http.PostAsync(new Uri($"{host.Url}{HubContract.Path}/negotiate?negotiateVersion=1"), null);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("Staging")]
    [InlineData(null)]
    public async Task Outside_Development_it_does_not_start_before_it_is_told_whose_tokens_to_trust(string? environment)
    {
        await using var host = HostProcess.Launch(_folder.Path, environment);

        Assert.Equal(1, await host.ExitAsync());

        var sentence = Assert.Single(host.Lines);
        Assert.StartsWith("Collab did not start: ", sentence, StringComparison.Ordinal);
        Assert.Contains("Set Authentication:Schemes:Bearer:Authority", sentence, StringComparison.Ordinal);
        Assert.Contains("Authentication:Schemes:Bearer:PublicKeyFiles:0", sentence, StringComparison.Ordinal);
        Assert.Contains("ASPNETCORE_ENVIRONMENT=Development", sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Collab:Documents:MaxUpdateBytes=5", "Collab:Documents:MaxUpdateBytes must be 1024 to 268435456 bytes.")]
    [InlineData("Collab:Documents:MaxUpdateBytes=many", "Failed to convert configuration value 'many' at 'Collab:Documents:MaxUpdateBytes'")]
    [InlineData("Collab:Fanout:OutboxBytes=1", "Collab:Fanout:OutboxBytes must be 16384 to 67108864 bytes.")]
    [InlineData("Collab:Sqlite:MaxQueuedBytes=0", "Collab:Sqlite:MaxQueuedBytes must be more than 0.")]
    [InlineData("Collab:DataDirectory=", "Set Collab:DataDirectory to the folder in which Collab shall keep its data.")]
    [InlineData("Collab:AllowedOrigins:0=*", "Collab:AllowedOrigins must name each origin")]
    [InlineData("Collab:Events:Kafka:0:Name=k", "Collab:Events:Kafka:0:BootstrapServers must name brokers")]
    [InlineData("Collab:Consumers:RabbitMq:0:Name=c", "Collab:Consumers:RabbitMq:0 needs Channel")]
    [InlineData("urls=nowhere", "Invalid url: 'nowhere'")]
    public async Task A_wrong_setting_stops_the_start_with_a_sentence(string setting, string sentence)
    {
        await using var host = HostProcess.Launch(_folder.Path, arguments: [$"--{setting}"]);

        Assert.Equal(1, await host.ExitAsync());

        Assert.Contains(host.Lines, line => line.StartsWith($"Collab did not start: {sentence}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_program_itself_can_ask_for_the_health_of_a_server()
    {
        await using var host = await HostProcess.Launch(_folder.Path).ReadyAsync();

        Assert.Equal(0, await AskAsync($"{host.Url}/health/ready"));
        Assert.Equal(1, await AskAsync($"{host.Url}/nowhere/at/all"));
        Assert.Equal(1, await AskAsync("http://127.0.0.1:1/health/ready"));

        static async Task<int> AskAsync(string address)
        {
            using var probe = Process.Start("dotnet", [HostProcess.Program, "health", address]);
            await probe.WaitForExitAsync();
            return probe.ExitCode;
        }
    }

    [Fact]
    public async Task Servers_that_Redis_connects_need_a_store_in_common()
    {
        await using var host = HostProcess.Launch(_folder.Path, settings: [("ConnectionStrings__Redis", "127.0.0.1:1")]);

        Assert.Equal(1, await host.ExitAsync());
        Assert.Contains(host.Lines, line => line.StartsWith("Collab did not start: ConnectionStrings:Redis makes this server one of several", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_data_folder_that_cannot_be_made_stops_the_start_with_a_sentence()
    {
        var file = Path.Combine(_folder.Path, "file");
        await File.WriteAllTextAsync(file, "");

        await using var host = HostProcess.Launch(Path.Combine(file, "data"));

        Assert.Equal(1, await host.ExitAsync());
        Assert.Contains(host.Lines, line => line.StartsWith(
            "Collab did not start: Set Collab:DataDirectory to a folder that can be created and written", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_address_in_use_stops_the_start_with_a_sentence()
    {
        await using var first = await HostProcess.Launch(_folder.Path).ReadyAsync();

        await using var second = HostProcess.Launch(_folder.Path, arguments: ["--urls", first.Url]);

        Assert.Equal(1, await second.ExitAsync());
        Assert.Contains(second.Lines, line => line.StartsWith($"Collab did not start: Failed to bind to address {first.Url}", StringComparison.Ordinal));
    }

    private static async Task<HttpResponseMessage> GetAsync(HostProcess host, string name)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(host.Url + "/channels/c/messages?wait=0"));
        request.Headers.Host = name;
        return await http.SendAsync(request);
    }
}
