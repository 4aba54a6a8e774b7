namespace Collab.Crdt.Tests;

/// <summary>Runs every operation on bytes that may be anything: each must give a valid result or throw the one exception.</summary>
internal static class Surviving
{
    /// <summary>Every operation on format v1. Any other exception than <see cref="InvalidUpdateException"/> fails the test.</summary>
    public static void AllOperations(byte[] bytes, string what)
    {
        var fault = Updates.ValidateV1(bytes, UpdateLimits.Default);
        Try(() => Updates.MergeV1([bytes]));
        Try(() => Updates.MergeV1([bytes, bytes]));
        Try(() => Updates.MergeV1([bytes, Updates.EmptyV1.ToArray()]));
        Try(() => Updates.CompactV1([bytes, bytes]));
        Try(() => Updates.DiffV1(bytes, StateVector.Empty));
        Try(() => Updates.DiffV1(bytes, StateVector.Encode(new Dictionary<ulong, uint> { [1] = 1, [2] = 3 })));
        Try(() => StateVector.Decode(Updates.StateVectorV1(bytes)));
        Try(() => Updates.IsEmptyV1(bytes));
        Try(() => Updates.ConvertV2ToV1(Updates.ConvertV1ToV2(bytes)));

        void Try(Func<object> operation) => Survive(operation, fault, what, update => Updates.ValidateV1(update, UpdateLimits.Default));
    }

    /// <summary>Every operation on format v2, as <see cref="AllOperations"/>.</summary>
    public static void AllOperationsV2(byte[] bytes, string what)
    {
        var fault = Updates.ValidateV2(bytes, UpdateLimits.Default);
        Assert.True(fault is null || fault.Value.Offset <= bytes.Length, $"{what}: {fault}");
        Try(() => Updates.MergeV2([bytes]));
        Try(() => Updates.MergeV2([bytes, bytes]));
        Try(() => Updates.CompactV2([bytes, Updates.EmptyV2.ToArray()]));
        Try(() => Updates.DiffV2(bytes, StateVector.Empty));
        Try(() => Updates.DiffV2(bytes, StateVector.Encode(new Dictionary<ulong, uint> { [1] = 1, [2] = 3 })));
        Try(() => StateVector.Decode(Updates.StateVectorV2(bytes)));
        Try(() => Updates.IsEmptyV2(bytes));
        Try(() => Updates.ConvertV1ToV2(Updates.ConvertV2ToV1(bytes)));

        void Try(Func<object> operation) => Survive(operation, fault, what, update => Updates.ValidateV2(update, UpdateLimits.Default));
    }

    private static void Survive(Func<object> operation, UpdateFault? fault, string what, Func<byte[], UpdateFault?> validate)
    {
        try
        {
            var result = operation();
            // What is valid stays so, whatever is done with it.
            if (fault is null && result is byte[] update)
                Assert.True(validate(update) is null, $"{what}: valid bytes became invalid: {validate(update)}");
        }
        catch (InvalidUpdateException invalid)
        {
            Assert.True(fault is not null, $"{what}: valid bytes were refused with {invalid.Message}");
        }
    }
}
