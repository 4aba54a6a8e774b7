using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Collab.Server;
using Collab.Server.Events;
using Collab.Testing;
using Collab.Testing.Events;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using NSec.Cryptography;

namespace Collab.Webhooks;

/// <summary>That webhooks are posted in the form of the two standards, and arrive whatever their receiver does.</summary>
public sealed class WebhookTests : IAsyncLifetime
{
    private const string Administers = """[{ "admin": true }]""";

    private static readonly string Secret = "whsec_" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    private WebhookReceiver _receiver = null!;

    public async Task InitializeAsync() => _receiver = await WebhookReceiver.StartAsync();

    public async Task DisposeAsync() => await _receiver.DisposeAsync();

    [Fact]
    public async Task A_request_is_a_signed_CloudEvent()
    {
        await using var host = await StartAsync();
        await new ChannelClient(await host.ConnectAsync()).PublishAsync("chat", "said", 1);

        await _receiver.UntilTakenAsync(1);

        var request = _receiver.Taken.Single();
        Assert.Equal("application/cloudevents+json; charset=utf-8", request.Headers["content-type"]);
        Assert.Equal(["content-type", "webhook-id", "webhook-signature", "webhook-timestamp"], request.Headers.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(("1.0", request.Id, "collab.channel.published", "channels/chat"), (Text("specversion"), Text("id"), Text("type"), Text("subject")));
        Assert.Equal(["accepted"], await SignatureJudge.JudgeAsync((Secret, request)));
        string? Text(string name) => request.Event.GetProperty(name).GetString();
    }

    [Fact]
    public async Task A_request_that_was_tampered_with_or_is_old_is_refused_by_its_receiver()
    {
        await using var host = await StartAsync();
        await new ChannelClient(await host.ConnectAsync()).PublishAsync("chat", "said", 1);
        await _receiver.UntilTakenAsync(1);
        var request = _receiver.Taken.Single();
        var tenMinutesEarlier = (long.Parse(request.Headers["webhook-timestamp"], null) - 600).ToString(System.Globalization.CultureInfo.InvariantCulture);

        var verdicts = await SignatureJudge.JudgeAsync(
            (Secret, request),
            (Secret, request with { Body = request.Body.Replace("said", "cried", StringComparison.Ordinal) }),
            (Secret, With("webhook-id", "another")),
            (Secret, With("webhook-timestamp", tenMinutesEarlier)),
            (Secret, With("webhook-signature", "v1,AAAA")),
            ("whsec_" + Convert.ToBase64String(new byte[32]), request));

        Assert.Equal(
            ["accepted", "No matching signature found", "No matching signature found", "Message timestamp too old", "No matching signature found", "No matching signature found"],
            verdicts);
        ReceivedRequest With(string header, string value) => request with { Headers = new Dictionary<string, string>(request.Headers) { [header] = value } };
    }

    [Fact]
    public async Task With_several_keys_whoever_has_one_of_them_can_check_it()
    {
        var older = "whsec_" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(24));
        using var key = Key.Create(SignatureAlgorithm.Ed25519, new KeyCreationParameters { ExportPolicy = KeyExportPolicies.AllowPlaintextExport });
        var (seed, open) = (key.Export(KeyBlobFormat.RawPrivateKey), key.PublicKey.Export(KeyBlobFormat.RawPublicKey));
        await using var host = await StartAsync(keys: [Secret, older, "whsk_" + Convert.ToBase64String(seed), "whsk_" + Convert.ToBase64String([.. seed, .. open])]);
        await new ChannelClient(await host.ConnectAsync()).PublishAsync("chat", "said", 1);
        await _receiver.UntilTakenAsync(1);
        var request = _receiver.Taken.Single();

        var verdicts = await SignatureJudge.JudgeAsync(
            (Secret, request), (older, request), ("whpk_" + Convert.ToBase64String(open), request), ("whpk_" + Convert.ToBase64String(open), request with { Body = "{}" }));

        Assert.Equal(["accepted", "accepted", "accepted", "No matching signature found"], verdicts);
        Assert.Equal(4, request.Headers["webhook-signature"].Split(' ').Length);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(404)]
    [InlineData(302)]
    public async Task What_is_not_taken_is_posted_again_with_the_same_id_and_a_signature_of_its_own_time(int status)
    {
        _receiver.Answer = context =>
        {
            context.Response.Headers.Location = "/elsewhere";
            return Task.FromResult(_receiver.Requests.Count < 2 ? status : 200);
        };
        await using var host = await StartAsync();
        await new ChannelClient(await host.ConnectAsync()).PublishAsync("chat", "said", 1);

        await _receiver.UntilTakenAsync(1);

        Assert.Equal([status, status, 200], _receiver.Requests.Select(request => request.Status));
        Assert.Single(_receiver.Requests.Select(request => request.Id).Distinct());
        // A redirect is not followed.
        Assert.All(_receiver.Requests, request => Assert.Equal("/hook", request.Path));
        Assert.All(await SignatureJudge.JudgeAsync([.. _receiver.Requests.Select(request => (Secret, request))]), verdict => Assert.Equal("accepted", verdict));
    }

    [Fact]
    public async Task A_receiver_that_hangs_is_given_up_and_asked_again()
    {
        var calls = 0;
        _receiver.Answer = async context =>
        {
            if (Interlocked.Increment(ref calls) == 1)
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            return 200;
        };
        await using var host = await StartAsync(("Collab:Events:TimeoutSeconds", "1"));
        await new ChannelClient(await host.ConnectAsync()).PublishAsync("chat", "said", 1);

        await _receiver.UntilTakenAsync(1);

        Assert.Equal(2, calls);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task A_receiver_that_says_when_to_come_again_is_not_asked_before(int status)
    {
        var asked = 0L;
        var early = 0;
        _receiver.Answer = context =>
        {
            if (Interlocked.CompareExchange(ref asked, Environment.TickCount64, 0) == 0)
            {
                context.Response.Headers.RetryAfter = "2";
                return Task.FromResult(status);
            }

            if (Environment.TickCount64 - asked < 1_900)
                Interlocked.Increment(ref early);
            return Task.FromResult(200);
        };
        await using var host = await StartAsync();
        var channel = new ChannelClient(await host.ConnectAsync());
        await channel.PublishAsync("a", "said", 1);
        while (_receiver.Requests.IsEmpty)
            await Task.Delay(10);
        await channel.PublishAsync("b", "said", 2);

        await _receiver.UntilTakenAsync(2);

        Assert.Equal(0, early);
    }

    [Fact]
    public async Task A_receiver_that_is_gone_gets_nothing_more_until_it_is_enabled()
    {
        _receiver.Answer = _ => Task.FromResult(StatusCodes.Status410Gone);
        await using var host = await StartAsync();
        var channel = new ChannelClient(await host.ConnectAsync());
        await channel.PublishAsync("chat", "said", 0);
        while ((await StatusAsync(host)).GetProperty("disabled").GetString() is null)
            await Task.Delay(20);
        Assert.Equal("410 Gone", (await StatusAsync(host)).GetProperty("disabled").GetString());
        _receiver.Answer = _ => Task.FromResult(200);
        await channel.PublishAsync("chat", "said", 1);
        Assert.Single(_receiver.Requests);

        (await host.PostAsync("/admin/events/hook/enable", "", grants: Administers)).EnsureSuccessStatusCode();

        await _receiver.UntilTakenAsync(2);
        Assert.Equal([0, 1], _receiver.Taken.Select(request => request.Number));
    }

    [Fact]
    public async Task A_receiver_that_was_down_gets_everything_in_order_when_it_is_back()
    {
        // However slow the machine, he is back before the last try.
        await using var host = await StartAsync([.. Enumerable.Range(20, 80).Select(i => ($"Collab:Events:RetrySeconds:{i}", "0.5"))]);
        var channel = new ChannelClient(await host.ConnectAsync());
        await channel.PublishAsync("chat", "said", 0);
        await _receiver.UntilTakenAsync(1);
        await _receiver.StopAsync();
        for (var i = 1; i < 100; i++)
            await channel.PublishAsync("chat", "said", i);
        while ((await StatusAsync(host)).GetProperty("fault").GetString() is null)
            await Task.Delay(20);

        await _receiver.ListenAsync();
        await _receiver.UntilTakenAsync(100);

        Assert.Equal(Enumerable.Range(0, 100), _receiver.Taken.Select(request => request.Number));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    [InlineData("[::1]")]
    [InlineData("[::ffff:127.0.0.1]")]
    [InlineData("2130706433")]
    [InlineData("0.0.0.0")]
    public async Task An_address_inside_the_network_is_refused_unless_it_is_allowed(string host)
    {
        using var sink = new WebhookSink(
            new WebhookOptions { Url = $"http://{host}:{new Uri(_receiver.Url).Port}/hook", AllowHttp = true, Keys = { Secret } }, TimeProvider.System);

        var outcome = await sink.SendAsync([new("id", "t", "s", "channels/c", DateTimeOffset.UtcNow, "{}"u8.ToArray())], default);

        Assert.Contains("is inside the network of the server", outcome.ToString(), StringComparison.Ordinal);
        Assert.Empty(_receiver.Requests);
    }

    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("10.0.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.1.1")]
    [InlineData("100.64.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("fe80::1")]
    [InlineData("fd00::1")]
    [InlineData("64:ff9b::a00:1")]
    [InlineData("2002:a00:1::")]
    [InlineData("::ffff:10.0.0.1")]
    public void An_address_that_not_everybody_can_reach_is_not_connected_to(string address) =>
        Assert.False(new PublicAddresses([]).IsAllowed(IPAddress.Parse(address)));

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("172.32.0.1")]
    [InlineData("2606:4700:4700::1111")]
    public void An_address_that_everybody_can_reach_is_connected_to(string address) =>
        Assert.True(new PublicAddresses([]).IsAllowed(IPAddress.Parse(address)));

    [Fact]
    public void An_allowed_network_is_connected_to_and_no_other() => Assert.Equal(
        (true, true, false),
        (IsAllowed("10.1.2.3"), IsAllowed("::ffff:10.1.2.3"), IsAllowed("10.2.2.3")));

    [Theory]
    [InlineData("Name", "", "Collab:Events:Webhooks:0:Name must be a name")]
    [InlineData("Url", "ftp://example.com", "Collab:Events:Webhooks:0:Url must be the address of a webhook, such as https://example.com/collab.")]
    [InlineData("Url", "http://example.com", "Collab:Events:Webhooks:0:Url must begin with https, or Collab:Events:Webhooks:0:AllowHttp be true.")]
    [InlineData("Url", "https://ada:secret@example.com", "Collab:Events:Webhooks:0:Url must not contain a user or password.")]
    [InlineData("Keys:0", null, "Collab:Events:Webhooks:0:Keys must have a key")]
    [InlineData("Keys:0", "whsec_c2hvcnQ=", "Collab:Events:Webhooks:0:Keys must each be whsec_")]
    [InlineData("AllowedNetworks:0", "10.0.0.0/99", "Collab:Events:Webhooks:0:AllowedNetworks must each be a network")]
    [InlineData("Events:0", "document.exploded", "Collab:Events:Webhooks:0:Events has document.exploded, which is none of")]
    [InlineData("DebounceMilliseconds", "-1", "Collab:Events:Webhooks:0:DebounceMilliseconds must be 0 to 3600000 milliseconds.")]
    public async Task A_webhook_that_is_not_whole_is_refused_at_the_start_with_a_sentence(string setting, string? value, string sentence)
    {
        var settings = new Dictionary<string, string?>
        {
            ["Name"] = "hook",
            ["Url"] = "https://example.com/hook",
            ["Keys:0"] = Secret,
            [setting] = value,
        };
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Where(one => one.Value is not null).Select(one => KeyValuePair.Create("Collab:Events:Webhooks:0:" + one.Key, one.Value)))
            .Build();

        var fault = await Assert.ThrowsAsync<InvalidOperationException>(
            () => CollabTestHost.StartAsync(configure: collab => collab.AddWebhooks(configuration)));

        Assert.StartsWith(sentence, fault.Message, StringComparison.Ordinal);
    }

    private static bool IsAllowed(string address) => new PublicAddresses([IPNetwork.Parse("10.1.0.0/16")]).IsAllowed(IPAddress.Parse(address));

    private Task<CollabTestHost> StartAsync(params (string, string)[] settings) => StartAsync([Secret], settings);

    private Task<CollabTestHost> StartAsync(string[] keys, params (string, string)[] settings)
    {
        var webhook = new WebhookOptions { Url = _receiver.Url, AllowHttp = true, AllowedNetworks = { "127.0.0.0/8" } };
        foreach (var key in keys)
            webhook.Keys.Add(key);
        return CollabTestHost.StartAsync(
            [.. Enumerable.Range(0, 20).Select(i => ($"Collab:Events:RetrySeconds:{i}", "0.05")), .. settings],
            collab => collab.AddWebhook("hook", webhook, new EventSubscription { Events = { "channel.published" } }));
    }

    private static async Task<JsonElement> StatusAsync(CollabTestHost host)
    {
        using var answer = await host.GetAsync("/admin/events", grants: Administers);
        return (await answer.EnsureSuccessStatusCode().JsonAsync())[0];
    }
}
