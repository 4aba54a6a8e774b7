// A collaborative editor in the terminal. `dotnet run --project clients/dotnet/Collab.Terminal -- welcome` opens the demo page's document.
using System.CommandLine;
using Collab.Client;
using Collab.Protocol;
using Collab.Terminal;
using Terminal.Gui.App;

var document = new Argument<string>("document")
{
    Description = "The document's id, as after the # of the demo page's address.",
    DefaultValueFactory = _ => "welcome",
};
var server = new Option<Uri>("--server")
{
    Description = "The server's address, such as http://localhost:5080.",
    DefaultValueFactory = _ => new Uri("http://localhost:5080"),
    CustomParser = result =>
    {
        if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var address) && (address.Scheme is "http" or "https"))
            return address;
        result.AddError("--server is an address such as http://localhost:5080.");
        return null;
    },
};
var name = new Option<string>("--name") { Description = "What others see at your caret.", DefaultValueFactory = _ => Environment.UserName };
var folder = new Option<string>("--folder")
{
    Description = "Keeps what you write offline until it is sent.",
    DefaultValueFactory = _ => Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "collab-terminal"),
};
var transport = new Option<Transport?>("--transport") { Description = "The only transport to use." };

var root = new RootCommand("Write together in a terminal. A bearer token is read from the environment, COLLAB_TOKEN.") { document, server, name, folder, transport };
root.SetAction(async (parsed, cancellationToken) =>
{
    if (!RoomName.IsValid(parsed.GetValue(document)))
    {
        await Console.Error.WriteLineAsync("A document's id is made of letters, digits and . _ ~ : @ - with single slashes between its parts.");
        return 1;
    }

    Application.MaximumIterationsPerSecond = 60;
    using var app = Application.Create();
    app.Init();
    var token = Environment.GetEnvironmentVariable("COLLAB_TOKEN");
    var connection = new CollabConnection(new Uri(parsed.GetValue(server)!, HubContract.Path), new CollabConnectionOptions
    {
        AccessTokenFactory = string.IsNullOrEmpty(token) ? null : _ => Task.FromResult(token),
        Transport = parsed.GetValue(transport),
        Callbacks = new TerminalThread(app),
    });
    try
    {
        var shared = connection.OpenDocument(parsed.GetValue(document)!, new SharedDocumentOptions { LocalFolder = parsed.GetValue(folder) });
        using var window = new EditorWindow(connection, shared, Person.Named(parsed.GetValue(name)!));
        app.Run(window);
        return 0;
    }
    catch (CollabException exception)
    {
        app.Dispose();
        await Console.Error.WriteLineAsync(exception.Message);
        return 1;
    }
    finally
    {
        // The terminal's thread has stopped taking calls: what is not sent by now is in the folder.
        _ = connection.DisposeAsync().AsTask();
    }
});
return await root.Parse(args).InvokeAsync();
