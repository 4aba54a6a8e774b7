using Collab.Crdt;
using Collab.Testing;

namespace Collab.Server.Tests.Documents;

/// <summary>Bytes that no Yjs client produces are refused, reach nobody, and harm nothing else on the connection.</summary>
public sealed class HostileUpdateTests
{
    private static readonly byte[] Real = new Typist(300).Type("hello");

    public static TheoryData<string, byte[]> Malformed => new()
    {
        { "empty", [] },
        { "a huge number of clients", [0xff, 0xff, 0xff, 0xff, 0x0f] },
        { "a huge number of structs", [1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 0, 4, 1, 1, (byte)'t', 1, (byte)'a', 0] },
        { "a huge string", [1, 1, 1, 0, 4, 1, 1, (byte)'t', 0xff, 0xff, 0xff, 0xff, 0x07, (byte)'a', 0] },
        { "a huge deleted run", [1, 1, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f, 0] },
        { "bad UTF-8", [1, 1, 1, 0, 4, 1, 1, (byte)'t', 2, 0xc3, 0x28, 0] },
        { "an unknown content", [1, 1, 1, 0, 15, 1, 1, (byte)'t', 1, (byte)'a', 0] },
        { "trailing bytes", [.. Real, 0] },
        { "an array nested 10,000 deep", [1, 1, 1, 0, 8, 1, 1, (byte)'t', 1, .. Enumerable.Repeat(new byte[] { 117, 1 }, 10_000).SelectMany(x => x), 126, 0] },
    };

    [Theory, MemberData(nameof(Malformed))]
    public async Task A_malformed_update_is_refused_and_the_connection_goes_on(string what, byte[] update)
    {
        await using var host = await CollabTestHost.StartAsync();
        var (attacker, witness) = await TwoMembersAsync(host);

        Assert.True(await TestClient.CodeOfAsync(attacker.PushAsync("d", update)) == "invalid_update", what);

        await OnlyWhatFollowsArrivesAsync(attacker, witness);
    }

    [Fact]
    public async Task Every_truncation_of_a_real_update_is_refused()
    {
        await using var host = await CollabTestHost.StartAsync();
        var (attacker, witness) = await TwoMembersAsync(host);

        for (var length = 0; length < Real.Length; length++)
            Assert.Equal("invalid_update", await TestClient.CodeOfAsync(attacker.PushAsync("d", Real[..length])));

        await OnlyWhatFollowsArrivesAsync(attacker, witness);
    }

    [Fact]
    public async Task A_flipped_bit_leaves_the_update_valid_or_refused_and_never_harms_the_connection()
    {
        await using var host = await CollabTestHost.StartAsync();
        var (attacker, witness) = await TwoMembersAsync(host);
        var refused = 0;

        for (var bit = 0; bit < Real.Length * 8; bit++)
        {
            var flipped = Real.ToArray();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            var code = await TestClient.CodeOfAsync(attacker.PushAsync("d", flipped));
            Assert.Contains(code, new[] { "no error", "invalid_update" });
            Assert.Equal(code == "no error", Updates.ValidateV1(flipped, UpdateLimits.Default) is null);
            refused += code == "invalid_update" ? 1 : 0;
        }

        Assert.True(refused > 20);
        var typist = new Typist(9);
        await attacker.PushAsync("d", typist.Type("fine"));
        await witness.UntilReadAsync(typist, 4);
    }

    [Fact]
    public async Task Nothing_where_bytes_belong_is_refused_like_bytes_that_are_wrong()
    {
        await using var host = await CollabTestHost.StartAsync();
        var (attacker, witness) = await TwoMembersAsync(host);

        Assert.Equal("invalid_update", await TestClient.CodeOfAsync(attacker.PushAsync("d", null!)));
        Assert.Equal("invalid_awareness", await TestClient.CodeOfAsync(
            attacker.Connection.InvokeCoreAsync("PushAwareness", typeof(object), ["d", null])));
        Assert.Equal("invalid_state_vector", await TestClient.CodeOfAsync(
            attacker.Connection.InvokeCoreAsync("SyncDocument", typeof(object), ["d", null])));

        await OnlyWhatFollowsArrivesAsync(attacker, witness);
    }

    [Fact]
    public async Task A_malformed_awareness_update_is_refused_and_reaches_nobody()
    {
        await using var host = await CollabTestHost.StartAsync();
        var (attacker, witness) = await TwoMembersAsync(host);

        foreach (var awareness in new byte[][] { [], [1], [1, 1, 1, 200], [1, 1, 1, 2, (byte)'{', (byte)'['], [.. Enumerable.Repeat((byte)0xff, 12)] })
        {
            Assert.Equal("invalid_awareness", await TestClient.CodeOfAsync(
                attacker.Connection.InvokeCoreAsync("PushAwareness", typeof(object), ["d", awareness])));
        }

        await OnlyWhatFollowsArrivesAsync(attacker, witness);
        Assert.Empty(witness.Awareness);
    }

    private static async Task<(TestClient Attacker, TestClient Witness)> TwoMembersAsync(CollabTestHost host)
    {
        var attacker = await host.ConnectAsync("mallory");
        var witness = await host.ConnectAsync("ben");
        await attacker.JoinAsync("d");
        await witness.JoinAsync("d");
        return (attacker, witness);
    }

    private static async Task OnlyWhatFollowsArrivesAsync(TestClient attacker, TestClient witness)
    {
        var typist = new Typist(9);
        await attacker.PushAsync("d", typist.Type("fine"));
        await witness.UntilReadAsync(typist, 4);
        Assert.Single(witness.Updates);
    }
}
