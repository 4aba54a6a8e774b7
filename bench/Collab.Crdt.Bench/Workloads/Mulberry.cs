namespace Collab.Crdt.Bench;

/// <summary>The seeded generator of <c>tests/oracle/random.mjs</c> (mulberry32): the same draws in the same order.</summary>
internal sealed class Mulberry(uint seed)
{
    private uint _state = seed;

    /// <summary>A fraction from 0 up to 1.</summary>
    public double Next()
    {
        unchecked
        {
            _state += 0x6D2B79F5;
            var mixed = (_state ^ (_state >> 15)) * (_state | 1);
            mixed ^= mixed + ((mixed ^ (mixed >> 7)) * (mixed | 61));
            return (mixed ^ (mixed >> 14)) / 4294967296.0;
        }
    }

    /// <summary>An integer from 0 to <paramref name="limit"/> - 1.</summary>
    public int Below(long limit) => (int)Math.Floor(Next() * limit);
}
