using System.Globalization;
using System.Net.Sockets;
using Collab.Load.Channels;
using Collab.Load.Scenarios;
using Collab.Load.Servers;
using Collab.Load.Sockets;
using Collab.Load.Statistics;
using Collab.Load.Updates;

// Collab.Load [scenario ...] [server ...] [--repeat N] [--seconds S] [--writers N] [--connections N]
// Collab.Load nodes [--repeat N] [--seconds S]
// Collab.Load channels [contender ...] [--repeat N] [--seconds S]
// Collab.Load updates        prints what it would send, for bench/peers/check-updates.mjs
var repeat = 1;
var seconds = 10.0;
var writers = 100;
var connections = 5_000;
var names = new List<string>();
for (var i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--repeat" when i + 1 < args.Length:
            repeat = int.Parse(args[++i], CultureInfo.InvariantCulture);
            break;
        case "--seconds" when i + 1 < args.Length:
            seconds = double.Parse(args[++i], CultureInfo.InvariantCulture);
            break;
        case "--writers" when i + 1 < args.Length:
            writers = int.Parse(args[++i], CultureInfo.InvariantCulture);
            break;
        case "--connections" when i + 1 < args.Length:
            connections = int.Parse(args[++i], CultureInfo.InvariantCulture);
            break;
        default:
            names.Add(args[i]);
            break;
    }
}

if (names is ["updates"])
{
    PrintUpdates();
    return 0;
}

if (names is ["channels", ..])
    return ChannelsRun.Run(names[1..], repeat, seconds);

if (names is ["nodes"])
    return NodesRun.Run(repeat, seconds);

IScenario[] usual =
[
    new RoomScenario(seconds, writers), new RoomsScenario(seconds), new IdleScenario(2 * seconds, connections), new JoinScenario("join", 50, 1), new KillScenario(),
];
// Those that take long, only by their names.
IScenario[] scenarios = [.. usual, new JoinScenario("storm", 1_000, 1), new JoinScenario("large", 150, 20)];
ServerKind[] servers = [.. ServerKind.WhenNamed, .. ServerKind.OfDocuments];
var unknown = names.Find(name => !scenarios.Any(scenario => scenario.Name == name) && !servers.Any(kind => kind.Name == name));
if (unknown is not null)
{
    Console.Error.WriteLine(
        $"'{unknown}' is neither a scenario ({string.Join(", ", scenarios.Select(scenario => scenario.Name))}) "
        + $"nor a server ({string.Join(", ", servers.Select(kind => kind.Name))})");
    return 2;
}

var chosenScenarios = Array.FindAll(scenarios, scenario => names.Contains(scenario.Name)) is { Length: > 0 } some ? some : usual;
var chosenServers = Array.FindAll(servers, kind => names.Contains(kind.Name)) is { Length: > 0 } few ? few : ServerKind.OfDocuments;
var loop = new SocketLoop();
var report = new Report();
var failed = false;
// Servers take turns within each repeat, so that a change of the machine's mood meets them all.
for (var round = 0; round < repeat; round++)
{
    foreach (var scenario in chosenScenarios)
    {
        foreach (var kind in chosenServers)
        {
            try
            {
                scenario.Run(kind, loop, report);
            }
            catch (Exception e) when (e is InvalidOperationException or SocketException or InvalidDataException)
            {
                failed = true;
                Console.Error.WriteLine($"{scenario.Name} | {kind} | failed: {e.Message}");
            }
        }
    }
}

Console.WriteLine(report.ToMarkdown(chosenServers[0].Name));
return failed ? 1 : 0;

static void PrintUpdates()
{
    for (var index = 0; index < 2000; index++)
    {
        for (var writer = 0; writer < 3; writer++)
            Console.WriteLine($"small {Convert.ToHexString(UpdateWriter.Write(writer, index))}");
    }

    foreach (var piece in UpdateWriter.WriteDocument(1_000_000, out _))
        Console.WriteLine($"large {Convert.ToHexString(piece)}");
}
