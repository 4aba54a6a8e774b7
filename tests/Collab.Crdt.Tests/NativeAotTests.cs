using Collab.Testing;

namespace Collab.Crdt.Tests;

/// <summary>The engine works without a just-in-time compiler: <c>tests/Collab.Crdt.Aot</c> is compiled to a native program and run.</summary>
public sealed class NativeAotTests : IDisposable
{
    private readonly NativeBuild _build = new();

    public void Dispose() => _build.Dispose();

    [Fact]
    public async Task The_engine_runs_as_a_native_program()
    {
        if (await _build.CompileAsync("Collab.Crdt.Aot") is not { } program)
            return;

        var (succeeded, output) = await NativeBuild.RunAsync(program);
        Assert.True(succeeded, output);
        Assert.Equal("OK", output.Trim());
    }
}
