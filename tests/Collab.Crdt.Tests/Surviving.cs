namespace Collab.Crdt.Tests;

/// <summary>Runs every operation on bytes that may be anything: each must give a valid result or throw the one exception.</summary>
internal static class Surviving
{
    /// <summary>Returns how many operations threw <see cref="InvalidUpdateException"/>; any other exception fails the test.</summary>
    public static int AllOperations(byte[] bytes, string what)
    {
        var refused = 0;
        var fault = Updates.ValidateV1(bytes, UpdateLimits.Default);
        Try(() => Updates.MergeV1([bytes]));
        Try(() => Updates.MergeV1([bytes, bytes]));
        Try(() => Updates.MergeV1([bytes, Updates.EmptyV1.ToArray()]));
        Try(() => Updates.CompactV1([bytes, bytes]));
        Try(() => Updates.DiffV1(bytes, StateVector.Empty));
        Try(() => Updates.DiffV1(bytes, StateVector.Encode(new Dictionary<ulong, uint> { [1] = 1, [2] = 3 })));
        Try(() => StateVector.Decode(Updates.StateVectorV1(bytes)));
        Try(() => Updates.IsEmptyV1(bytes));
        return refused;

        void Try(Func<object> operation)
        {
            try
            {
                var result = operation();
                // What is valid stays so, whatever is done with it.
                if (fault is null && result is byte[] update)
                    Assert.True(Updates.ValidateV1(update, UpdateLimits.Default) is null, $"{what}: valid bytes became invalid");
            }
            catch (InvalidUpdateException invalid)
            {
                refused++;
                Assert.True(fault is not null, $"{what}: valid bytes were refused with {invalid.Message}");
            }
        }
    }
}
