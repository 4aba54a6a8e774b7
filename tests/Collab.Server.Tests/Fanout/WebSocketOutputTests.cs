using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Collab.Protocol;
using Collab.Server.Fanout;
using Collab.Server.Fanout.WebSockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Collab.Server.Tests.Fanout;

/// <summary>What a hub writes to one connection, and what its outbox writes past that.</summary>
public sealed class WebSocketOutputTests
{
    public static TheoryData<IHubProtocol, TransferFormat, int> LargeStates
    {
        get
        {
            var states = new TheoryData<IHubProtocol, TransferFormat, int>();
            foreach (var bytes in (int[])[100, 65_535, 65_536, 3_000_000])
            {
                states.Add(new JsonHubProtocol(), TransferFormat.Text, bytes);
                states.Add(new MessagePackHubProtocol(), TransferFormat.Binary, bytes);
            }

            return states;
        }
    }

    [Theory]
    [MemberData(nameof(LargeStates), DisableDiscoveryEnumeration = true)]
    public async Task An_answer_that_holds_a_large_state_is_what_SignalR_would_have_written(IHubProtocol protocol, TransferFormat format, int bytes)
    {
        var (connection, socket, _) = await ConnectAsync();
        var output = new WebSocketOutput(new Pipe().Writer, socket, new Format(format));
        var state = new byte[bytes];
        new Random(1).NextBytes(state);
        HubMessage[] messages =
        [
            PingMessage.Instance,
            CompletionMessage.WithResult("1", new JoinedDocument(state, [1, 2], "e:1", "write", [3])),
            CompletionMessage.WithResult("2", new SyncedDocument(state, [1, 2], "e:2")),
        ];

        var read = Task.Run(async () => (await connection.Reader.ReadAtLeastAsync(messages.Length * 4 * 1024 * 1024)).Buffer.ToArray());
        foreach (var message in messages)
        {
            new CollabHubProtocol(protocol).WriteMessage(message, output);
            // Two messages in one frame, too.
            if (message is not PingMessage)
                await output.FlushAsync();
        }

        await connection.Writer.CompleteAsync();
        byte[] expected =
        [
            .. Framed([.. protocol.GetMessageBytes(messages[0]).ToArray(), .. protocol.GetMessageBytes(messages[1]).ToArray()]),
            .. Framed(protocol.GetMessageBytes(messages[2]).ToArray()),
        ];
        var written = await read;
        Assert.True(expected.AsSpan().SequenceEqual(written));

        byte[] Framed(byte[] payload) =>
            WebSocketFrame.Enclose((byte[])[.. new byte[WebSocketFrame.MaxHeader], .. payload], payload.Length, format is TransferFormat.Binary).ToArray();
    }

    [Fact]
    public async Task What_follows_an_answer_does_not_overtake_it()
    {
        var (connection, socket, stream) = await ConnectAsync();
        var output = new WebSocketOutput(new Pipe().Writer, socket, new Format(TransferFormat.Text));
        var answer = new Answer(() => _ = stream.WriteAsync("[what follows]"u8.ToArray()).AsTask());

        new CollabHubProtocol(new JsonHubProtocol()).WriteMessage(CompletionMessage.WithResult("1", answer), output);
        await output.FlushAsync();

        var written = Encoding.ASCII.GetString((await connection.Reader.ReadAsync()).Buffer.FirstSpan);
        Assert.InRange(written.IndexOf("the answer", StringComparison.Ordinal), 0, written.IndexOf("[what follows]", StringComparison.Ordinal));
    }

    private static async Task<(Pipe Connection, FrameStreamFeature Socket, FrameStream Stream)> ConnectAsync()
    {
        var connection = new Pipe();
        var socket = new FrameStreamFeature(new Upgrade(connection.Writer.AsStream()), () => () => Assert.Fail("cut"), TimeSpan.FromMinutes(1));
        return (connection, socket, (FrameStream)await socket.UpgradeAsync());
    }

    private sealed class Answer(Action written) : IAnswerThenFollow
    {
        object IAnswerThenFollow.Answer => "the answer";

        public void Written() => written();
    }

    private sealed class Upgrade(Stream connection) : IHttpUpgradeFeature
    {
        public bool IsUpgradableRequest => true;

        public Task<Stream> UpgradeAsync() => Task.FromResult(connection);
    }

    private sealed class Format(TransferFormat format) : ITransferFormatFeature
    {
        public TransferFormat SupportedFormats => ActiveFormat;

        public TransferFormat ActiveFormat { get; set; } = format;
    }
}
