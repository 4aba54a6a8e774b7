namespace Collab.Crdt;

/// <summary>The changes of one transaction, for other replicas.</summary>
/// <param name="Update">The changes as an update, in the format that was subscribed to.</param>
/// <param name="Origin">Where the changes come from, as the one who began the transaction has said.</param>
/// <param name="Transaction">The transaction; it has ended.</param>
public readonly record struct UpdateEvent(byte[] Update, object? Origin, Transaction Transaction);
