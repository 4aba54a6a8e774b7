using Collab.Crdt;
using Collab.Protocol;

namespace Collab.Server.Documents;

/// <summary>
/// A document as it stands at one position: one merged update and its state vector. Immutable; what was encoded for one joiner is
/// kept for the next.
/// </summary>
internal sealed class DocumentState(string epoch, long offset, byte[] update)
{
    private const int KeptDiffs = 8;

    private readonly Lazy<byte[]> _stateVector = new(() => Updates.StateVectorV1(update));
    private readonly Lock _gate = new();
    private readonly Queue<(byte[] StateVector, byte[] Diff)> _diffs = new();

    public string Epoch => epoch;

    public long Offset => offset;

    public string Position => new Position(epoch, offset).ToString();

    /// <summary>The whole document.</summary>
    public byte[] Update => update;

    public byte[] StateVector => _stateVector.Value;

    /// <summary>What one lacks who has <paramref name="stateVector"/>, which must be a valid one.</summary>
    public byte[] DiffAgainst(byte[] stateVector)
    {
        if (stateVector.AsSpan().SequenceEqual(Crdt.StateVector.Empty))
            return update;

        lock (_gate)
        {
            foreach (var (known, kept) in _diffs)
            {
                if (known.AsSpan().SequenceEqual(stateVector))
                    return kept;
            }
        }

        var diff = Updates.DiffV1(update, stateVector);
        lock (_gate)
        {
            if (_diffs.Count == KeptDiffs)
                _diffs.Dequeue();
            _diffs.Enqueue((stateVector, diff));
        }

        return diff;
    }
}
