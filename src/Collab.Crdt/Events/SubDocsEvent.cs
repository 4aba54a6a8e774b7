namespace Collab.Crdt;

/// <summary>Subdocuments that have come or gone in a transaction, and those that are to be loaded.</summary>
/// <param name="Added">Those that have come.</param>
/// <param name="Removed">Those that were deleted; they are destroyed after the handlers have run.</param>
/// <param name="Loaded">Those that a provider should load now.</param>
/// <param name="Transaction">The transaction.</param>
public sealed record SubDocsEvent(
    IReadOnlySet<Doc> Added, IReadOnlySet<Doc> Removed, IReadOnlySet<Doc> Loaded, Transaction Transaction);
