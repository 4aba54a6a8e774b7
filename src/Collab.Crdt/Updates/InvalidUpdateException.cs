namespace Collab.Crdt;

/// <summary>The one exception for bytes that are not what they should be. See <see cref="Fault"/>.</summary>
public sealed class InvalidUpdateException : FormatException
{
    /// <summary>Makes the exception for <paramref name="fault"/>.</summary>
    public InvalidUpdateException(UpdateFault fault)
        : base(fault.ToString()) => Fault = fault;

    /// <summary>What is wrong, and where.</summary>
    public UpdateFault Fault { get; }
}
