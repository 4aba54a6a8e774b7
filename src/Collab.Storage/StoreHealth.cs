using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Collab.Storage;

/// <summary>Logs when the store stops working and when it works again, once each, however many callers are refused.</summary>
internal sealed class StoreHealth
{
    private readonly ILogger _logger;
    private readonly string _operation;
    private int _failing;

    /// <param name="logger">Where to.</param>
    /// <param name="operation">What it is that works or not: <c>writes</c> or <c>reads</c>.</param>
    /// <param name="metrics">What shows it too.</param>
    public StoreHealth(ILogger logger, string operation, StorageMetrics metrics)
    {
        (_logger, _operation) = (logger, operation);
        metrics.ObserveHealth(operation, () => Volatile.Read(ref _failing) == 0);
    }

    public void Opened(string path) => StorageLog.Opened(_logger, path);

    public void Succeeded()
    {
        if (Volatile.Read(ref _failing) != 0 && Interlocked.Exchange(ref _failing, 0) != 0)
            StorageLog.Recovered(_logger, _operation);
    }

    public void Failed(Exception failure)
    {
        if (Interlocked.Exchange(ref _failing, 1) != 0)
            return;
        StorageLog.Unavailable(_logger, _operation, failure.Message, CodeOf(failure) ?? CodeOf(failure.InnerException) ?? "none");
    }

    private static string? CodeOf(Exception? failure) => failure switch
    {
        SqliteException sqlite => sqlite.SqliteExtendedErrorCode.ToString(CultureInfo.InvariantCulture),
        PostgresException postgres => postgres.SqlState,
        _ => null,
    };
}
