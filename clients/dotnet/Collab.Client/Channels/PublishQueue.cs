using System.Security.Cryptography;
using System.Text.Json;
using Collab.Protocol;

namespace Collab.Client;

/// <summary>
/// What is to be published in one channel: one message after the other, so that they stand in the log in the order of the calls. A message
/// whose acknowledgement was lost is sent again under the same key, by which the server knows it.
/// </summary>
/// <param name="capacity">How many messages may wait.</param>
internal sealed class PublishQueue(CollabConnection connection, string name, int capacity)
{
    private readonly LinkedList<Publication> _waiting = new();
    private ChannelSession? _session;
    private bool _isBusy;

    /// <summary>Queues a message.</summary>
    /// <returns>Its position, once it is durable.</returns>
    public Task<string> AddAsync(string @event, JsonElement data, string? key)
    {
        if (_waiting.Count >= capacity)
        {
            return Task.FromException<string>(new CollabException(
                ClientErrorCodes.QueueFull, $"{capacity} messages wait to be published in \"{name}\" already: wait for their acknowledgements."));
        }
        var publication = new Publication(@event, data, key ?? RandomNumberGenerator.GetHexString(32, lowercase: true));
        _waiting.AddLast(publication);
        _ = SendAsync();
        return publication.Done.Task;
    }

    public void Connected()
    {
        Disconnected();
        _session = new ChannelSession();
        _ = SendAsync();
    }

    public void Disconnected()
    {
        _session?.End();
        _session = null;
    }

    /// <summary>Nothing is sent any more.</summary>
    public void End(CollabException error)
    {
        foreach (var publication in _waiting)
            publication.Done.TrySetException(error);
        _waiting.Clear();
    }

    private async Task SendAsync()
    {
        if (_isBusy)
            return;
        _isBusy = true;
        var backoff = Backoff.OfCalls();
        while (_waiting.First?.Value is { } next && _session is { } session)
        {
            try
            {
                var position = await connection.CallAsync<string>("Publish", name, next.Event, next.Data, next.Key);
                Done(next);
                next.Done.TrySetResult(position);
                backoff.Reset();
            }
            catch (CollabException exception)
            {
                // Whether it was published is not known: it goes again over the next connection.
                if (exception.Code == ClientErrorCodes.Disconnected)
                {
                    if (_session == session)
                        break;
                }
                else if (exception.Code is ErrorCodes.RateLimited or ErrorCodes.Unavailable)
                {
                    await backoff.WaitAsync(session.Ending);
                }
                else
                {
                    Done(next);
                    next.Done.TrySetException(exception);
                }
            }
        }
        _isBusy = false;
    }

    private void Done(Publication publication)
    {
        if (_waiting.First?.Value == publication)
            _waiting.RemoveFirst();
    }

    private sealed record Publication(string Event, JsonElement Data, string Key)
    {
        public TaskCompletionSource<string> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
