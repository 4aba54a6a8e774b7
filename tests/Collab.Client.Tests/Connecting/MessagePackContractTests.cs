using System.Buffers;
using System.Text.Json;
using Collab.Protocol;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Collab.Client.Tests.Connecting;

/// <summary>The client's MessagePack is SignalR's.</summary>
public sealed class MessagePackContractTests
{
    private static readonly MessagePackHubProtocol SignalR = new();
    private readonly MessagePackContract _contract = new();

    public static TheoryData<string, Type, object?> Values => new()
    {
        { "text", typeof(string), "grüße" },
        { "bytes", typeof(byte[]), Enumerable.Range(0, 300).Select(i => (byte)i).ToArray() },
        { "nothing", typeof(object), null },
        { "joined", typeof(JoinedDocument), new JoinedDocument([1, 2], [3], "ab-1", "write", [0]) },
        { "synced", typeof(SyncedDocument), new SyncedDocument(new byte[70_000], [3], "ab-1") },
        { "message", typeof(ChannelMessage), new ChannelMessage("ab-7", "id", "chat", null, 1_700_000_000_000, "ada", 3) },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void It_reads_what_SignalR_writes(string what, Type type, object? value)
    {
        var bytes = new ReadOnlySequence<byte>(SignalR.GetMessageBytes(new InvocationMessage("Call", [value, "after"])));

        Assert.True(_contract.TryParseMessage(ref bytes, new Binder(type, typeof(string)), out var message), what);

        var invocation = Assert.IsType<InvocationMessage>(message);
        Assert.Equal(("Call", "after"), (invocation.Target, invocation.Arguments[1]));
        Assert.Equal(JsonSerializer.Serialize(value, type), JsonSerializer.Serialize(invocation.Arguments[0], type));
        Assert.True(bytes.IsEmpty);
    }

    [Fact]
    public void SignalR_reads_what_it_writes()
    {
        var data = JsonSerializer.SerializeToElement(new { a = new object[] { 1, -5_000_000_000, 2.5, "x", true, null! } });
        var written = new InvocationMessage("17", "Call", ["name", new byte[] { 1, 2 }, data, new SubscribeOptions { After = "ab-1", Rewind = 5 }, null]);
        var bytes = new ReadOnlySequence<byte>(_contract.GetMessageBytes(written));

        Assert.True(SignalR.TryParseMessage(
            ref bytes, new Binder(typeof(string), typeof(byte[]), typeof(Dictionary<string, object[]>), typeof(SubscribeOptions), typeof(string)), out var message));

        var read = Assert.IsType<InvocationMessage>(message);
        Assert.Equal("17", read.InvocationId);
        Assert.Equal("name", read.Arguments[0]);
        Assert.Equal([1, 2], (byte[])read.Arguments[1]!);
        Assert.Equal("""{"a":[1,-5000000000,2.5,"x",true,null]}""", JsonSerializer.Serialize(read.Arguments[2]));
        Assert.Equal(new SubscribeOptions { After = "ab-1", Rewind = 5 }, read.Arguments[3]);
        Assert.Null(read.Arguments[4]);
    }

    [Fact]
    public void Answers_errors_pings_and_ends_are_read()
    {
        HubMessage[] written =
        [
            CompletionMessage.WithResult("1", "ab-1"), CompletionMessage.WithError("2", "no"), CompletionMessage.Empty("3"), PingMessage.Instance,
            new CloseMessage("gone", allowReconnect: true), CloseMessage.Empty,
        ];
        var bytes = new ReadOnlySequence<byte>(written.SelectMany(message => SignalR.GetMessageBytes(message).ToArray()).ToArray());
        var read = new List<HubMessage>();
        while (_contract.TryParseMessage(ref bytes, new Binder(typeof(string)), out var message))
            read.Add(message);

        Assert.Equal(written.Select(message => message.GetType()), read.Select(message => message.GetType()));
        Assert.Equal(("1", "ab-1"), (((CompletionMessage)read[0]).InvocationId, ((CompletionMessage)read[0]).Result));
        Assert.Equal("no", ((CompletionMessage)read[1]).Error);
        Assert.Equal(("gone", true), (((CloseMessage)read[4]).Error, ((CloseMessage)read[4]).AllowReconnect));
    }

    [Fact]
    public void A_part_of_a_message_waits_for_the_rest()
    {
        var whole = SignalR.GetMessageBytes(new InvocationMessage("Call", ["a text that is long enough to have a header of two bytes" + new string('x', 200)])).ToArray();
        for (var length = 0; length < whole.Length; length++)
        {
            var part = new ReadOnlySequence<byte>(whole, 0, length);
            Assert.False(_contract.TryParseMessage(ref part, new Binder(typeof(string)), out _));
            Assert.Equal(length, part.Length);
        }
    }

    [Fact]
    public void Bytes_that_are_no_message_are_refused_and_nothing_else()
    {
        var whole = SignalR.GetMessageBytes(new InvocationMessage("Call", [new ChannelMessage("ab-7", "id", "chat", "data", 1, "ada")])).ToArray();
        var random = new Random(11);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = whole.ToArray();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            var input = new ReadOnlySequence<byte>(bytes);
            try
            {
                _contract.TryParseMessage(ref input, new Binder(typeof(ChannelMessage)), out _);
            }
            catch (InvalidDataException)
            {
                // The connection ends with it.
            }
        }
    }

    private sealed class Binder(params Type[] types) : IInvocationBinder
    {
        public IReadOnlyList<Type> GetParameterTypes(string methodName) => types;

        public Type GetReturnType(string invocationId) => types[0];

        public Type GetStreamItemType(string streamId) => types[0];
    }
}
