using Collab.Server;
using Collab.Server.Rooms;
using Collab.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Collab.Storage.Sqlite;

/// <summary>AddSqliteStore(): where the data goes, and which settings stop the start.</summary>
public sealed class SqliteStoreRegistrationTests : IDisposable
{
    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_data_goes_to_the_configured_folder_which_is_created()
    {
        var data = Path.Combine(_folder.Path, "a", "b");
        await using var app = Build(data);
        var log = app.Services.GetRequiredService<IRoomLog>();
        await log.Append(new RoomKey(RoomKind.Document, "room"), "a");
        Assert.True(File.Exists(Path.Combine(data, "collab.db")));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/proc/collab")]
    public void A_folder_that_cannot_be_used_stops_the_start_and_says_what_to_set(string? data)
    {
        using var services = new ServiceCollection().AddSingleton<IValidateOptions<SqliteRoomLogOptions>, ValidateSqliteRoomLogOptions>()
            .AddOptions<SqliteRoomLogOptions>().Configure(options => options.DataDirectory = data!).Services.BuildServiceProvider();
        var refused = Assert.Throws<OptionsValidationException>(
            () => services.GetRequiredService<IOptions<SqliteRoomLogOptions>>().Value);
        Assert.Contains("Set Collab:DataDirectory", refused.Message, StringComparison.Ordinal);
    }

    private static WebApplication Build(string? data)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection([new("Collab:DataDirectory", data)]);
        builder.Services.AddCollab().AddSqliteStore();
        return builder.Build();
    }
}
