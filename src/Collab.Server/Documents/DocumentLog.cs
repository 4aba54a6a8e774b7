using Microsoft.Extensions.Logging;

namespace Collab.Server.Documents;

/// <summary>All that the document service can say to an operator. Event ids 2000 to 2099.</summary>
internal static partial class DocumentLog
{
    [LoggerMessage(2000, LogLevel.Debug, "{ConnectionId} joined document {DocumentId} at offset {Offset}")]
    public static partial void Joined(ILogger logger, string connectionId, string documentId, long offset);

    [LoggerMessage(2001, LogLevel.Debug, "{ConnectionId} left document {DocumentId}")]
    public static partial void Left(ILogger logger, string connectionId, string documentId);

    [LoggerMessage(2002, LogLevel.Debug, "Updates of document {DocumentId} are refused: the store cannot take them now")]
    public static partial void AppendFailed(ILogger logger, string documentId, Exception exception);

    [LoggerMessage(2003, LogLevel.Warning, "Document {DocumentId} cannot be loaded now; those who ask for it are refused")]
    public static partial void LoadFailed(ILogger logger, string documentId, Exception exception);

    [LoggerMessage(2004, LogLevel.Debug, "Compacted document {DocumentId} through offset {Offset}: {Bytes} bytes became {SnapshotBytes}")]
    public static partial void Compacted(ILogger logger, string documentId, long offset, int bytes, int snapshotBytes);

    [LoggerMessage(2005, LogLevel.Warning, "Document {DocumentId} could not be compacted; it is tried again later")]
    public static partial void CompactionFailed(ILogger logger, string documentId, Exception exception);

    [LoggerMessage(2006, LogLevel.Debug, "An update of {Bytes} bytes to document {DocumentId} from {ConnectionId} is refused: {Fault}")]
    public static partial void Refused(ILogger logger, int bytes, string documentId, string connectionId, Crdt.UpdateFaultKind fault);

    [LoggerMessage(2007, LogLevel.Error, "Document {DocumentId}: an update could not be committed or sent on for an unexpected reason")]
    public static partial void CommitFailed(ILogger logger, string documentId, Exception exception);

    [LoggerMessage(2008, LogLevel.Error, "Document {DocumentId}: the engine's compacted form lacks something; it is compacted on bytes instead")]
    public static partial void EngineLost(ILogger logger, string documentId);

    [LoggerMessage(2010, LogLevel.Debug, "An update to document {DocumentId} from {ConnectionId} is refused: it writes under another user's client id")]
    public static partial void Forged(ILogger logger, string documentId, string connectionId);

    [LoggerMessage(2011, LogLevel.Warning, "The writers of document {DocumentId} cannot be looked up now; updates are refused")]
    public static partial void WritersUnavailable(ILogger logger, string documentId, Exception exception);

    [LoggerMessage(2012, LogLevel.Error, "The loader has not supplied document {DocumentId}; who asked for it is refused")]
    public static partial void LoaderFailed(ILogger logger, string documentId, Exception exception);

    [LoggerMessage(2013, LogLevel.Error, "{Handler} failed on what has happened to document {DocumentId}; it is not told again")]
    public static partial void HandlerFailed(ILogger logger, string handler, string documentId, Exception exception);

    [LoggerMessage(2014, LogLevel.Information, "Document {DocumentId} was deleted")]
    public static partial void Deleted(ILogger logger, string documentId);

    [LoggerMessage(2015, LogLevel.Warning, "Document {DocumentId} could not be given a version; that is tried again when it is changed")]
    public static partial void VersionFailed(ILogger logger, string documentId, Exception exception);

    [LoggerMessage(2009, LogLevel.Warning, "Document {DocumentId} cannot be compacted by the engine; it is compacted on bytes instead")]
    public static partial void EngineFailed(ILogger logger, string documentId, Exception exception);
}
