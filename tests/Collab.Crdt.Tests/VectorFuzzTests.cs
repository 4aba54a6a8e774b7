namespace Collab.Crdt.Tests;

/// <summary>Damaged copies of real updates never crash or hang anything, and what is cut off is always noticed.</summary>
public sealed class VectorFuzzTests
{
    private const int SampleSize = 150, FlipsEach = 40;

    [Fact]
    public void Every_truncation_is_refused_by_every_operation()
    {
        foreach (var (name, update) in Sample(seed: 1))
        {
            for (var length = 0; length < update.Length; length++)
            {
                var cut = update[..length];
                var what = $"{name} cut to {length} bytes";
                Assert.True(Updates.ValidateV1(cut, UpdateLimits.Default) is not null, what);
                Assert.Throws<InvalidUpdateException>(() => Updates.MergeV1([cut]));
                Assert.Throws<InvalidUpdateException>(() => Updates.CompactV1([update, cut]));
                Assert.Throws<InvalidUpdateException>(() => Updates.DiffV1(cut, StateVector.Empty));
                Assert.Throws<InvalidUpdateException>(() => Updates.StateVectorV1(cut));
            }
        }
    }

    [Fact]
    public void Flipped_bits_give_a_valid_result_or_the_one_exception()
    {
        var random = new Random(2);
        foreach (var (name, update) in Sample(seed: 2))
        {
            for (var i = 0; i < FlipsEach; i++)
            {
                var damaged = update.ToArray();
                for (var flips = random.Next(1, 4); flips > 0; flips--)
                    damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
                Surviving.AllOperations(damaged, $"{name}: {Convert.ToHexString(damaged)}");
            }
        }
    }

    [Fact]
    public void Every_truncation_in_format_v2_is_refused_by_every_operation()
    {
        foreach (var (name, v1) in Sample(seed: 4))
        {
            var update = Updates.ConvertV1ToV2(v1);
            for (var length = 0; length < update.Length; length++)
            {
                var cut = update[..length];
                Assert.True(Updates.ValidateV2(cut, UpdateLimits.Default) is not null, $"{name} cut to {length} bytes");
                Assert.Throws<InvalidUpdateException>(() => Updates.MergeV2([cut]));
                Assert.Throws<InvalidUpdateException>(() => Updates.ConvertV2ToV1(cut));
            }
        }
    }

    [Fact]
    public void Flipped_bits_in_format_v2_give_a_valid_result_or_the_one_exception()
    {
        var random = new Random(5);
        foreach (var (name, v1) in Sample(seed: 5))
        {
            var update = Updates.ConvertV1ToV2(v1);
            for (var i = 0; i < FlipsEach; i++)
            {
                var damaged = update.ToArray();
                for (var flips = random.Next(1, 4); flips > 0; flips--)
                    damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
                Surviving.AllOperationsV2(damaged, $"{name}: {Convert.ToHexString(damaged)}");
            }
        }
    }

    [Fact]
    public void Bytes_behind_the_end_are_refused_unless_allowed()
    {
        foreach (var (name, update) in Sample(seed: 3))
        {
            byte[] longer = [.. update, 0];
            Assert.Equal(UpdateFaultKind.TrailingBytes, Updates.ValidateV1(longer, UpdateLimits.Default)?.Kind);
            Assert.True(Updates.ValidateV1(longer, new UpdateLimits { AllowTrailingBytes = true }) is null, name);
        }
    }

    private static IEnumerable<(string Name, byte[] Update)> Sample(int seed)
    {
        var random = new Random(seed);
        var all = Vectors.Documents.SelectMany(document => document.Updates.Select((update, index) => ($"{document} update {index}", update))).ToArray();
        Assert.NotEmpty(all);
        random.Shuffle(all);
        return all.Where(entry => entry.update.Length < 400).Take(SampleSize).Select(entry => (entry.Item1, entry.update.ToArray()));
    }
}
