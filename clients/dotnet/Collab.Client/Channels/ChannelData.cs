using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Collab.Protocol;

namespace Collab.Client;

/// <summary>Reads the data of messages and members, which are <see cref="JsonElement"/>s.</summary>
public static class ChannelData
{
    private static readonly JsonElement Null = JsonElement.Parse("null"u8);

    /// <summary>The message's data as JSON.</summary>
    public static JsonElement GetJson(this ChannelMessage message) => Json(message?.Data);

    /// <summary>What a member shows, as JSON.</summary>
    public static JsonElement GetJson(this ChannelMember member) => Json(member?.Data);

    /// <summary>The message's data.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <param name="message">The message.</param>
    /// <param name="type">How to read it, from a <c>JsonSerializerContext</c>.</param>
    /// <exception cref="JsonException">It is of another type.</exception>
    public static T? GetData<T>(this ChannelMessage message, JsonTypeInfo<T> type) => message.GetJson().Deserialize(type);

    /// <summary>The message's data, read with camelCase names.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <param name="message">The message.</param>
    /// <exception cref="JsonException">It is of another type.</exception>
    [RequiresUnreferencedCode("Reads the data by reflection. Give a JsonTypeInfo in trimmed programs.")]
    [RequiresDynamicCode("Reads the data by reflection. Give a JsonTypeInfo in natively compiled programs.")]
    public static T? GetData<T>(this ChannelMessage message) => message.GetJson().Deserialize<T>(JsonSerializerOptions.Web);

    private static JsonElement Json(object? data) => data is JsonElement json ? json : Null;
}
