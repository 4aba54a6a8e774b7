using System.CommandLine;
using Collab.Server;
using Collab.Server.Documents;
using Collab.Server.Rooms;
using Microsoft.Extensions.Options;

namespace Collab.Host.Moving;

/// <summary>The commands that bring documents in and out of the store: <c>import</c> and <c>export</c>. They need no running server.</summary>
internal static class MovingCommands
{
    private const int Done = 0;
    private const int CouldNotStart = 1;
    private const int SomeRefused = 2;

    private static readonly Option<string?> Data = new("--data") { Description = "The server's data folder, in the place of Collab:DataDirectory.", HelpName = "folder" };

    /// <summary>Runs the command of a command line.</summary>
    /// <returns>The exit code: 0, 1 when it could not be done, 2 when some documents were refused.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("Brings Yjs documents in and out of Collab's store, which is set as for the server.") { Import(), Export() };
        var parsed = root.Parse(args);
        // Wrong command lines are said with the help; what is wrong with the store or the source is one sentence.
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (Exception exception) when (exception is OptionsValidationException or InvalidOperationException or InvalidDataException
            or IOException or UnauthorizedAccessException or RoomLogUnavailableException)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return CouldNotStart;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("Broken off. What is done is done: the same command goes on from there.");
            return CouldNotStart;
        }
    }

    private static Command Import()
    {
        var from = new Argument<string>("from")
        {
            Description = "A Hocuspocus SQLite database, a folder of updates (see docs/migrating.md), one file with an update (with --id), or - for standard input: "
                + """an update with --id, else lines of {"id": "…", "update": "base64"}.""",
        };
        var id = new Option<string?>("--id") { Description = "The id of the only document in it.", HelpName = "id" };
        var prefix = new Option<string>("--prefix") { Description = "Goes before every name.", HelpName = "text", DefaultValueFactory = _ => "" };
        var isV2 = new Option<bool>("--v2") { Description = "The updates are of Yjs' version 2." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Reads and checks everything, and writes nothing." };
        var command = new Command("import", "Adds documents to the store. What is there already is left as it is, so an import that was broken off is just begun again.")
        {
            from, id, prefix, isV2, dryRun, Data,
        };
        command.SetAction(async (given, cancellationToken) =>
        {
            await using var store = OpenStore(given.GetValue(Data));
            var source = DocumentSources.Open(given.GetRequiredValue(from), given.GetValue(id));
            await using var asDisposable = source as IAsyncDisposable;
            var import = new DocumentImport(
                store.GetRequiredService<IRoomLog>(),
                store.GetRequiredService<IOptions<DocumentOptions>>().Value,
                given.GetRequiredValue(prefix),
                given.GetValue(isV2),
                given.GetValue(dryRun));
            var summary = await import.RunAsync(source, cancellationToken);
            await Console.Out.WriteAsync(summary.ToString());
            return summary.Refused.Count == 0 ? Done : SomeRefused;
        });
        return command;
    }

    private static Command Export()
    {
        var ids = new Argument<string[]>("ids") { Description = "The documents.", Arity = ArgumentArity.ZeroOrMore };
        var all = new Option<bool>("--all") { Description = "All documents, in the place of ids." };
        var prefix = new Option<string?>("--prefix") { Description = "All documents whose ids begin so, in the place of ids.", HelpName = "text" };
        var to = new Option<string>("--to") { Description = "A folder, which gets a file for each document; or - for standard output, a line for each.", HelpName = "folder", DefaultValueFactory = _ => "-" };
        var format = new Option<string>("--format") { Description = "What is written.", DefaultValueFactory = _ => ExportFormat.Update };
        format.AcceptOnlyFromAmong([.. ExportFormat.All]);
        var root = new Option<string?>("--root") { Description = "With --format text: the root whose text is wanted, where there are several.", HelpName = "name" };
        var command = new Command("export", "Writes documents as Yjs updates, JSON or text.") { ids, all, prefix, to, format, root, Data };
        command.Validators.Add(given =>
        {
            var ways = (given.GetValue(ids) is { Length: > 0 } ? 1 : 0) + (given.GetValue(all) ? 1 : 0) + (given.GetValue(prefix) is null ? 0 : 1);
            if (ways != 1)
                given.AddError("Say which documents: their ids, --prefix or --all.");
        });
        command.SetAction(async (given, cancellationToken) =>
        {
            await using var store = OpenStore(given.GetValue(Data));
            var export = new DocumentExport(store.GetRequiredService<IRoomLog>(), given.GetRequiredValue(format), given.GetValue(root));
            var summary = await export.RunAsync(
                given.GetValue(ids) is { Length: > 0 } named ? named : null, given.GetValue(prefix) ?? "", given.GetRequiredValue(to), cancellationToken);
            // Standard output may be the documents themselves.
            await Console.Error.WriteAsync(summary.ToString());
            return summary.Refused.Count == 0 ? Done : SomeRefused;
        });
        return command;
    }

    /// <summary>The store that the server has, by the same settings; nothing else of the server runs.</summary>
    private static ServiceProvider OpenStore(string? dataDirectory)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
        if (dataDirectory is not null)
            builder.Configuration["Collab:DataDirectory"] = dataDirectory;
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(builder.Configuration);
        services.AddLogging(logging => logging.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace).SetMinimumLevel(LogLevel.Warning));
        services.AddCollab().AddConfiguredStore(builder.Configuration);
        return services.BuildServiceProvider();
    }
}
