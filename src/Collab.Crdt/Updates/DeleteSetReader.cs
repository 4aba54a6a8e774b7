namespace Collab.Crdt;

/// <summary>A run of clocks of one client that is deleted.</summary>
internal readonly record struct DeletedRange(ulong Client, uint Clock, uint Length)
{
    public ulong NextClock => (ulong)Clock + Length;
}

/// <summary>Reads the delete set at the end of an update: <c>count { client count { clock length } }</c>.</summary>
internal ref struct DeleteSetReader
{
    private readonly uint _maxClock;
    private Lib0Reader _reader;
    private int _clientsLeft, _rangesLeft;
    private ulong _client;

    public DeleteSetReader(Lib0Reader reader, uint maxClock)
    {
        _reader = reader;
        _maxClock = maxClock;
        _clientsLeft = _reader.ReadCount(bytesEach: 2);
    }

    /// <summary>Where the next read begins; after the last range, the end of the update.</summary>
    public readonly int Position => _reader.Position;

    /// <summary>Reads the next range, across clients; false at the end.</summary>
    public bool Next(out DeletedRange range)
    {
        while (_rangesLeft == 0)
        {
            if (_clientsLeft == 0)
            {
                range = default;
                return false;
            }
            _clientsLeft--;
            _client = _reader.ReadVarUint();
            _rangesLeft = _reader.ReadCount(bytesEach: 2);
        }
        _rangesLeft--;
        var at = _reader.Position;
        range = new DeletedRange(_client, _reader.ReadClock(_maxClock), _reader.ReadClock(_maxClock));
        if (range.NextClock > _maxClock)
            throw Faults.ClockTooLarge(at, range.NextClock, _maxClock);
        return true;
    }
}
