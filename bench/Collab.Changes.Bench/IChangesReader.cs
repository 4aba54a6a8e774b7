namespace Collab.Changes.Bench;

/// <summary>Somebody who reads the changes of the table.</summary>
internal interface IChangesReader : IAsyncDisposable
{
    string Name { get; }

    /// <summary>Makes sure that what is written from now on is kept for it.</summary>
    Task PrepareAsync();

    /// <summary>Reads rows that are there already.</summary>
    /// <returns>The time from the first to the last.</returns>
    Task<TimeSpan> ReadBacklogAsync(int rows);

    /// <summary>Reads rows while they are written.</summary>
    /// <returns>How long after its commit each came, in milliseconds, in order of length.</returns>
    Task<List<double>> MeasureDelaysAsync(Func<Task> write, int rows);
}
