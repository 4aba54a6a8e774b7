using BenchmarkDotNet.Running;
using Collab.Crdt.Bench;

switch (args)
{
    // Ours, yjs and ywasm on the same work, with the ratios.
    case ["compare", .. var filter]:
        return await Comparison.RunAsync(filter);
    // Time against the size of the document.
    case ["scaling", .. var sizes]:
        Scaling.Run(sizes);
        return 0;
    // The two layouts of blocks that were to choose from.
    case ["layouts"]:
        LayoutComparison.Run();
        return 0;
    // The parts of a comparison that need a process of their own.
    case ["workload", var id]:
        Workload.Print(id);
        return 0;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(AlgebraBenchmarks).Assembly).Run(args);
        return 0;
}
