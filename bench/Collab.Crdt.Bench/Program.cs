using BenchmarkDotNet.Running;
using Collab.Crdt.Bench;

// `compare` runs ours and yjs on the same input and prints the ratios; anything else goes to BenchmarkDotNet.
if (args is ["compare", ..])
    return await Comparison.RunAsync();
BenchmarkSwitcher.FromAssembly(typeof(AlgebraBenchmarks).Assembly).Run(args);
return 0;
