namespace Collab.PostgresChanges.Replication;

/// <summary>The database is not set up so that its changes can be read. The message is a sentence that says what to run.</summary>
internal sealed class ChangesFaultException(string message, Exception? innerException = null) : Exception(message, innerException);
