using System.Security.Cryptography;
using Collab.Server.Rooms;
using Xunit;

namespace Collab.Testing;

// What whoever runs a store asks of it.
public abstract partial class RoomLogConformance
{
    [Fact]
    public async Task A_store_knows_about_how_much_its_logs_take()
    {
        var before = await Log.MeasureAsync(default);

        for (var i = 0; i < 20; i++)
            await Log.AppendAsync(new RoomKey(RoomKind.Document, $"large/{i}"), [new NewLogEntry(RandomNumberGenerator.GetBytes(50_000), null)], default);

        Assert.InRange(await Log.MeasureAsync(default) - before, 500_000, 10_000_000);
    }

    [Fact]
    public async Task A_store_that_works_passes_its_check() => await Log.CheckAsync(default);
}
