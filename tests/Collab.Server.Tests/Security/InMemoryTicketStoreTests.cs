using Collab.Server.Security;
using Collab.Testing;

namespace Collab.Server.Tests.Security;

/// <summary>Tickets that nobody uses take no more memory than a bound.</summary>
public sealed class InMemoryTicketStoreTests
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_full_store_refuses_more_until_those_that_nobody_came_for_are_late()
    {
        var time = new ShiftedTime();
        var store = new InMemoryTicketStore(time);
        for (var i = 0; i < 100_000; i++)
            await store.PutAsync($"{i}", [], Lifetime, default);

        var refused = await Assert.ThrowsAsync<CollabException>(async () => await store.PutAsync("more", [], Lifetime, default));
        Assert.Equal("rate_limited", refused.Code);
        Assert.NotNull(refused.RetryAfter);

        time.Advance(Lifetime + TimeSpan.FromSeconds(1));
        await store.PutAsync("more", [], Lifetime, default);
        Assert.NotNull(await store.TakeAsync("more", default));
    }

    [Fact]
    public async Task What_was_taken_makes_room()
    {
        var store = new InMemoryTicketStore(TimeProvider.System);
        var half = new byte[64 * 1024 * 1024];
        await store.PutAsync("a", half, Lifetime, default);
        await store.PutAsync("b", half, Lifetime, default);
        await Assert.ThrowsAsync<CollabException>(async () => await store.PutAsync("c", half, Lifetime, default));

        await store.TakeAsync("a", default);

        await store.PutAsync("c", half, Lifetime, default);
    }
}
