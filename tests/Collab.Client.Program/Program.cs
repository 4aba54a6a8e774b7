// Opens a document with a local copy and does what its input says, line by line:
//   type <text>   appends to the text "text"; answers with the whole text
//   say <text>    publishes it in the channel of the document's name; answers with the position
//   sync          waits until all is acknowledged; answers with the whole text
// Arguments: the hub's address, a bearer's token or "-", the document's id, the folder, and whether to speak JSON.
using System.Text.Json;
using Collab.Client;

var (hub, token, documentId, folder) = (args[0], args[1], args[2], args[3]);
await using var connection = new CollabConnection(new Uri(hub), new CollabConnectionOptions
{
    AccessTokenFactory = token == "-" ? null : _ => Task.FromResult(token),
    UseJson = args is [.., "json"],
});
await using var document = connection.OpenDocument(documentId, new SharedDocumentOptions { LocalFolder = folder });
Console.WriteLine("ready");

while (Console.ReadLine() is { } line)
{
    var (command, rest) = line.Split(' ', 2) is [var first, var second] ? (first, second) : (line, "");
    switch (command)
    {
        case "type":
            document.Edit(doc => doc.GetText("text").Insert(doc.GetText("text").Length, rest));
            Console.WriteLine(Text());
            break;
        case "say":
            Console.WriteLine(await connection.Channel(documentId).PublishJsonAsync("said", JsonElement.Parse($"\"{rest}\"")));
            break;
        default:
            await document.WhenAcknowledgedAsync();
            Console.WriteLine(Text());
            break;
    }
}

string Text() => document.Read(doc => doc.GetText("text").ToString()!);
