namespace Collab.Crdt.Tests.Documents;

/// <summary>The bound on looking for places among concurrent insertions, which malice can make the square of their number.</summary>
public sealed class MaxStepsTests
{
    [Fact]
    public void An_update_that_needs_too_many_steps_is_given_up()
    {
        var update = Crossing(2_000);
        Assert.Null(Updates.ValidateV1(update, UpdateLimits.Default));
        using var bounded = new Doc(new DocOptions { MaxSteps = 100_000 });

        var refused = Assert.Throws<InvalidUpdateException>(() => bounded.ApplyV1(update));

        Assert.Equal(UpdateFaultKind.TooLarge, refused.Fault.Kind);
        using var unbounded = new Doc();
        unbounded.ApplyV1(update);
        Assert.False(unbounded.HasPending);
    }

    [Fact]
    public void Many_values_of_one_key_need_few_steps()
    {
        using var doc = new Doc(new DocOptions { MaxSteps = 100_000 });
        doc.ApplyV1(Keyed(2_000));
        Assert.False(doc.HasPending);
        Assert.Single(doc.GetMap("m"));
    }

    [Fact]
    public void The_steps_of_each_update_count_for_themselves()
    {
        using var doc = new Doc(new DocOptions { MaxSteps = 1_000 });
        for (var client = 1u; client < 100; client++)
        {
            using var other = new Doc(new DocOptions { ClientId = client });
            other.GetText("t").Insert(0, "x");
            doc.ApplyV1(other.StateDiffV1());
        }

        Assert.Equal(99, doc.GetText("t").Length);
    }

    /// <summary>Client 2 inserts units at the start, each before another unit of client 1's text: each passes all before it.</summary>
    private static byte[] Crossing(int count)
    {
        using var writer = new Lib0Writer(64);
        writer.WriteVarUint(2);
        writer.WriteVarUint((ulong)count);
        writer.WriteVarUint(2);
        writer.WriteVarUint(0);
        for (var i = 0; i < count; i++)
        {
            writer.WriteByte((byte)StructKind.String | StructHeader.HasRightOrigin);
            writer.WriteVarUint(1);
            writer.WriteVarUint((ulong)i);
            writer.WriteVarString("b");
        }
        writer.WriteBytes([1, 1, 0, (byte)StructKind.String, 1]);
        writer.WriteVarString("t");
        writer.WriteVarString(new string('a', count));
        writer.WriteVarUint(0);
        return writer.ToArray();
    }

    /// <summary>One client sets a key over and over without naming the value before it.</summary>
    private static byte[] Keyed(int count)
    {
        using var writer = new Lib0Writer(64);
        writer.WriteVarUint(1);
        writer.WriteVarUint((ulong)count);
        writer.WriteVarUint(1);
        writer.WriteVarUint(0);
        for (var i = 0; i < count; i++)
        {
            writer.WriteByte((byte)StructKind.Any | StructHeader.HasKey);
            writer.WriteVarUint(1);
            writer.WriteVarString("m");
            writer.WriteVarString("k");
            writer.WriteBytes([1, 126]);
        }
        writer.WriteVarUint(0);
        return writer.ToArray();
    }
}
