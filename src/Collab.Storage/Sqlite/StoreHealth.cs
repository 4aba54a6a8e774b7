using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Collab.Storage.Sqlite;

/// <summary>Logs when the store stops working and when it works again, once each, however many callers are refused.</summary>
/// <param name="logger">Where to.</param>
/// <param name="operation">What it is that works or not: <c>writes</c> or <c>reads</c>.</param>
internal sealed class StoreHealth(ILogger logger, string operation)
{
    private int _failing;

    public void Opened(string path) => StorageLog.Opened(logger, path);

    public void Succeeded()
    {
        if (Volatile.Read(ref _failing) != 0 && Interlocked.Exchange(ref _failing, 0) != 0)
            StorageLog.Recovered(logger, operation);
    }

    public void Failed(Exception failure)
    {
        if (Interlocked.Exchange(ref _failing, 1) != 0)
            return;
        var cause = failure as SqliteException ?? failure.InnerException as SqliteException;
        var code = cause?.SqliteExtendedErrorCode.ToString(CultureInfo.InvariantCulture) ?? "none";
        StorageLog.Unavailable(logger, operation, failure.Message, code);
    }
}
