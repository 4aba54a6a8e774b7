using System.IO.Pipelines;
using System.Text;
using Collab.Server.Fanout;
using Collab.Server.Fanout.WebSockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Collab.Server.Tests.Fanout;

/// <summary>What a hub writes to one connection, and what its outbox writes past that.</summary>
public sealed class WebSocketOutputTests
{
    [Fact]
    public async Task What_follows_an_answer_does_not_overtake_it()
    {
        var connection = new Pipe();
        var socket = new FrameStreamFeature(new DefaultHttpContext(), new Upgrade(connection.Writer.AsStream()), TimeSpan.FromMinutes(1));
        var stream = (FrameStream)await socket.UpgradeAsync();
        var output = new WebSocketOutput(new Pipe().Writer, socket, new Text());
        var answer = new Answer(() => _ = stream.WriteAsync("[what follows]"u8.ToArray()).AsTask());

        new CollabHubProtocol(new JsonHubProtocol()).WriteMessage(CompletionMessage.WithResult("1", answer), output);
        await output.FlushAsync();

        var written = Encoding.ASCII.GetString((await connection.Reader.ReadAsync()).Buffer.FirstSpan);
        Assert.InRange(written.IndexOf("the answer", StringComparison.Ordinal), 0, written.IndexOf("[what follows]", StringComparison.Ordinal));
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

    private sealed class Text : ITransferFormatFeature
    {
        public TransferFormat SupportedFormats => TransferFormat.Text;

        public TransferFormat ActiveFormat { get; set; } = TransferFormat.Text;
    }
}
