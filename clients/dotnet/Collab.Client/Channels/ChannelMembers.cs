using System.Text.Json;
using Collab.Protocol;

namespace Collab.Client;

/// <summary>Who is present, as far as a subscription with presence knows.</summary>
internal sealed class ChannelMembers
{
    private readonly OrderedDictionary<string, ChannelMember> _members = new(StringComparer.Ordinal);

    public IReadOnlyList<ChannelMember> All => [.. _members.Values];

    public void Clear() => _members.Clear();

    /// <summary>The server has said who is present.</summary>
    /// <returns>What that changes.</returns>
    public MembersChanged Meet(IReadOnlyList<ChannelMember> members)
    {
        var joined = members.Where(member => !_members.TryGetValue(KeyOf(member), out var known) || !IsSame(known, member)).ToArray();
        var present = members.Select(KeyOf).ToHashSet(StringComparer.Ordinal);
        var left = _members.Where(entry => !present.Contains(entry.Key)).Select(entry => entry.Value).ToArray();
        _members.Clear();
        foreach (var member in members)
            _members[KeyOf(member)] = member;
        return new MembersChanged(joined, left);
    }

    public void Change(MembersChanged change)
    {
        foreach (var member in change.Left)
            _members.Remove(KeyOf(member));
        foreach (var member in change.Joined)
            _members[KeyOf(member)] = member;
    }

    // A user is one member, however many connections he has; without an id each connection is one.
    private static string KeyOf(ChannelMember member) =>
        member.UserId is { } user ? $"user {user}" : $"connection {member.ConnectionId}";

    private static bool IsSame(ChannelMember known, ChannelMember member) => (known.Data, member.Data) switch
    {
        (JsonElement one, JsonElement two) => JsonElement.DeepEquals(one, two),
        var (one, two) => one is null && two is null,
    };
}
