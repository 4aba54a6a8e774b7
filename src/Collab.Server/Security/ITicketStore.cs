namespace Collab.Server.Security;

/// <summary>
/// Where tickets wait to be taken. The default is this process' memory; several servers behind one address need a store that they share.
/// Who can write to it can sign in as anybody.
/// </summary>
public interface ITicketStore
{
    /// <summary>Keeps a ticket.</summary>
    /// <param name="key">The ticket's name in the store, from which the ticket itself cannot be told.</param>
    /// <param name="content">Whom it signs in, and where.</param>
    /// <param name="timeToLive">After so long it is gone.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CollabException">It cannot be kept, as too many wait or the store is out of reach.</exception>
    ValueTask PutAsync(string key, byte[] content, TimeSpan timeToLive, CancellationToken cancellationToken);

    /// <summary>Takes a ticket away. Of all who ask for it at the same time only one gets it.</summary>
    /// <param name="key">The ticket's name in the store.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What was kept; null when there is no such ticket, or no more.</returns>
    /// <exception cref="CollabException">The store is out of reach.</exception>
    ValueTask<byte[]?> TakeAsync(string key, CancellationToken cancellationToken);
}
