using System.Text.Json;
using System.Text.Json.Serialization;
using Collab.Protocol;

namespace Collab.Client;

/// <summary>How what the contract names is written as JSON, without reflection. Data of messages are <see cref="JsonElement"/>s.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JoinedDocument))]
[JsonSerializable(typeof(SyncedDocument))]
[JsonSerializable(typeof(SubscribedChannel))]
[JsonSerializable(typeof(ChannelHistory))]
[JsonSerializable(typeof(ChannelMember[]))]
[JsonSerializable(typeof(ChannelMessage))]
[JsonSerializable(typeof(MembersChanged))]
[JsonSerializable(typeof(SubscribeOptions))]
[JsonSerializable(typeof(HistoryOptions))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(TokenLifetime))]
[JsonSerializable(typeof(byte[]))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(bool))]
internal sealed partial class ContractJson : JsonSerializerContext;

/// <summary>What the server says of a token.</summary>
/// <param name="TokenLifetimeSeconds">How many seconds it is good for; null when it does not expire.</param>
internal sealed record TokenLifetime(double? TokenLifetimeSeconds);
