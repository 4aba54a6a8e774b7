namespace Collab.Changes.Bench;

/// <summary>Somebody who reads the changes of the table.</summary>
internal interface IChangesReader : IAsyncDisposable
{
    string Name { get; }

    /// <summary>Makes sure that what is written from now on is kept for it.</summary>
    Task PrepareAsync();

    /// <summary>Reads rows that are there already.</summary>
    /// <returns>How long that took, from the beginning.</returns>
    Task<TimeSpan> ReadBacklogAsync(int rows);

    /// <summary>Reads rows while they are written.</summary>
    /// <param name="before">How many are there already.</param>
    /// <param name="write">Writes the others.</param>
    /// <param name="rows">How many it writes.</param>
    /// <returns>How long after its commit each of these came, in milliseconds.</returns>
    Task<List<double>> MeasureDelaysAsync(int before, Func<Task> write, int rows);
}
