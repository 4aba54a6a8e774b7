using Collab.Crdt;
using Collab.Protocol;
using Collab.Testing;
using Microsoft.AspNetCore.Http.Connections;

namespace Collab.Server.Tests.Documents;

/// <summary>The document half of the hub, over every transport and both hub protocols.</summary>
public sealed class DocumentHubTests
{
    public static TheoryData<HttpTransportType, bool> Wires => new()
    {
        { HttpTransportType.WebSockets, true },
        { HttpTransportType.WebSockets, false },
        { HttpTransportType.ServerSentEvents, false },
        { HttpTransportType.LongPolling, true },
        { HttpTransportType.LongPolling, false },
    };

    [Theory, MemberData(nameof(Wires))]
    public async Task An_update_reaches_the_others_and_those_who_join_later(HttpTransportType transport, bool messagePack)
    {
        await using var host = await CollabTestHost.StartAsync();
        var writer = await host.ConnectAsync("ada", transport: transport, messagePack: messagePack);
        var reader = await host.ConnectAsync("ben", transport: transport, messagePack: messagePack);
        await writer.JoinAsync("notes/1");
        await reader.JoinAsync("notes/1");
        var typist = new Typist(7);

        var position = await writer.PushAsync("notes/1", typist.Type("hello"));

        await reader.UntilReadAsync(typist, 5);
        Assert.Equal(position, Assert.Single(reader.Updates).Position);
        var late = await (await host.ConnectAsync("cleo", transport: transport, messagePack: messagePack)).JoinAsync("notes/1");
        Assert.Equal(5u, typist.Read(late.Update));
        Assert.Equal(position, late.Position);
        Assert.Equal("write", late.Access);
    }

    [Fact]
    public async Task Clients_of_all_transports_meet_in_one_document()
    {
        await using var host = await CollabTestHost.StartAsync();
        var clients = new List<(TestClient Client, Typist Typist)>();
        foreach (var (wire, index) in Wires.Select((wire, index) => (wire, index)))
        {
            var client = await host.ConnectAsync($"user{index}", transport: (HttpTransportType)wire[0], messagePack: (bool)wire[1]);
            await client.JoinAsync("d");
            clients.Add((client, new Typist((ulong)index + 1)));
        }

        await Task.WhenAll(clients.Select(async member =>
        {
            for (var i = 0; i < 20; i++)
                await member.Client.PushAsync("d", member.Typist.Type("word "));
        }));

        foreach (var (client, self) in clients)
        {
            foreach (var (_, other) in clients.Where(member => member.Typist != self))
                await client.UntilReadAsync(other, 100);
        }
    }

    [Fact]
    public async Task A_lone_writer_does_not_get_his_own_update_back()
    {
        await using var host = await CollabTestHost.StartAsync();
        var writer = await host.ConnectAsync("ada");
        var reader = await host.ConnectAsync("ben");
        await writer.JoinAsync("d");
        await reader.JoinAsync("d");
        Typist ada = new(1), ben = new(2);

        await writer.PushAsync("d", ada.Type("a"));
        await reader.UntilReadAsync(ada, 1);
        await reader.PushAsync("d", ben.Type("b"));
        await writer.UntilReadAsync(ben, 1);

        Assert.Equal(0u, ada.Read([.. writer.Updates.Select(update => (ReadOnlyMemory<byte>)update.Update)]));
    }

    [Fact]
    public async Task Updates_of_one_beat_arrive_merged_and_each_pusher_learns_his_own_position()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Documents:BeatMilliseconds", "200")]);
        var reader = await host.ConnectAsync("ben");
        await reader.JoinAsync("d");
        var writer = await host.ConnectAsync("ada");
        await writer.JoinAsync("d");
        var typist = new Typist(1);

        var positions = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => writer.PushAsync("d", typist.Type("x"))));

        await reader.UntilReadAsync(typist, 6);
        Assert.True(reader.Updates.Count < 6);
        Assert.Equal(6, positions.Distinct().Count());
        Assert.Equal([1L, 2, 3, 4, 5, 6], positions.Select(Offset).Order());
        Assert.Equal(6, Offset(reader.Updates.Last().Position));
    }

    [Fact]
    public async Task Joining_with_a_state_vector_brings_only_what_is_missing()
    {
        await using var host = await CollabTestHost.StartAsync();
        var writer = await host.ConnectAsync("ada");
        await writer.JoinAsync("d");
        var typist = new Typist(1);
        var first = typist.Type("already there ");
        await writer.PushAsync("d", first);
        await writer.PushAsync("d", typist.Type("new"));

        var joined = await (await host.ConnectAsync("ben")).JoinAsync("d", Updates.StateVectorV1(first));

        Assert.Equal(17u, typist.Read(first, joined.Update));
        Assert.True(joined.Update.Length < first.Length);
        Assert.Equal(17u, StateVector.Decode(joined.StateVector)[1]);
        var synced = await writer.SyncAsync("d", joined.StateVector);
        Assert.True(Updates.IsEmptyV1(synced.Update));
        Assert.Equal(joined.Position, synced.Position);
    }

    [Fact]
    public async Task Who_has_left_gets_nothing_more_and_may_not_push()
    {
        await using var host = await CollabTestHost.StartAsync();
        var writer = await host.ConnectAsync("ada");
        var leaver = await host.ConnectAsync("ben");
        var witness = await host.ConnectAsync("cleo");
        foreach (var client in new[] { writer, leaver, witness })
            await client.JoinAsync("d");
        var typist = new Typist(1);

        await leaver.LeaveAsync("d");
        await writer.PushAsync("d", typist.Type("secret"));
        await witness.UntilReadAsync(typist, 6);

        Assert.Equal("not_joined", await TestClient.CodeOfAsync(leaver.PushAsync("d", typist.Type("x"))));
        Assert.Equal("not_joined", await TestClient.CodeOfAsync(leaver.SyncAsync("d")));
        Assert.Empty(leaver.Updates);
    }

    [Fact]
    public async Task Joining_twice_over_one_connection_is_harmless()
    {
        await using var host = await CollabTestHost.StartAsync();
        var writer = await host.ConnectAsync("ada");
        var reader = await host.ConnectAsync("ben");
        await writer.JoinAsync("d");
        await reader.JoinAsync("d");
        await reader.JoinAsync("d");
        var typist = new Typist(1);

        await writer.PushAsync("d", typist.Type("x"));

        await reader.UntilReadAsync(typist, 1);
        Assert.Single(reader.Updates);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/a")]
    [InlineData("a//b")]
    [InlineData("a b")]
    [InlineData("ä")]
    public async Task A_document_id_outside_the_rules_is_refused(string document)
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = await host.ConnectAsync();

        Assert.Equal("invalid_name", await TestClient.CodeOfAsync(client.JoinAsync(document)));
    }

    [Fact]
    public async Task A_state_vector_that_is_none_is_refused()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = await host.ConnectAsync();

        Assert.Equal("invalid_state_vector", await TestClient.CodeOfAsync(client.JoinAsync("d", [5, 1])));
    }

    [Fact]
    public async Task An_update_over_the_limit_is_refused_and_the_connection_goes_on()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Documents:MaxUpdateBytes", "2000")]);
        var client = await host.ConnectAsync();
        await client.JoinAsync("d");

        Assert.Equal("too_large", await TestClient.CodeOfAsync(client.PushAsync("d", new Typist(1).Type(new string('x', 2100)))));
        await client.PushAsync("d", new Typist(2).Type("x"));
    }

    [Fact]
    public async Task An_empty_update_is_acknowledged_and_not_stored()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = await host.ConnectAsync();
        var joined = await client.JoinAsync("d");

        Assert.Equal(joined.Position, await client.PushAsync("d", Updates.EmptyV1.ToArray()));
    }

    private static long Offset(string position) =>
        Position.TryParse(position, out var parsed) ? parsed.Offset : throw new FormatException(position);
}
