namespace Collab.Server.Fanout;

/// <summary>
/// The result of a hub method after which something begins, once the answer has been written: messages that belong after an answer
/// must not overtake it. <see cref="CollabHubProtocol"/> sends <see cref="Answer"/> and then calls <see cref="Written"/>.
/// </summary>
internal interface IAnswerThenFollow
{
    /// <summary>What the caller gets.</summary>
    object Answer { get; }

    /// <summary>The answer stands in the connection's output; what is written from now on comes after it. Must not block.</summary>
    void Written();
}
