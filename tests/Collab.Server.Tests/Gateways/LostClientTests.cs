using System.Net.WebSockets;
using Collab.Crdt;
using Collab.Testing;

namespace Collab.Server.Gateways;

/// <summary>A client that is cut off says no goodbye: the others are told by the server.</summary>
public sealed class LostClientTests
{
    [Theory]
    [InlineData("/yjs/d", new byte[0])]
    [InlineData("/hocuspocus", new byte[] { 1, (byte)'d' })]
    public async Task Who_is_cut_off_is_no_more_present(string path, byte[] address)
    {
        await using var host = await CollabTestHost.StartAsync();
        await using var other = await host.ConnectAsync("ada");
        await other.JoinAsync("d");
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", TestAuthentication.Header("ben", CollabTestHost.Everything));
        await socket.ConnectAsync(new Uri(host.Url.Replace("http", "ws", StringComparison.Ordinal) + path), default);
        if (address.Length > 0)
            await SendAsync([.. address, 2, 0, 0]);
        var shown = AwarenessUpdate.Encode([new AwarenessState(7, 1, "{}"u8.ToArray())]);
        await SendAsync([.. address, 1, (byte)shown.Length, .. shown]);
        await other.UntilAsync(self => States(self).Any(state => state is { ClientId: 7, IsNull: false }));

        socket.Abort();

        await other.UntilAsync(self => States(self).Any(state => state is { ClientId: 7, IsNull: true }));

        Task SendAsync(byte[] message) => socket.SendAsync(message, WebSocketMessageType.Binary, true, default);
    }

    private static IEnumerable<AwarenessState> States(TestClient client) =>
        client.Awareness.SelectMany(heard => AwarenessUpdate.Decode(heard.Awareness));
}
