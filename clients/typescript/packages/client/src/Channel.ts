import { ChannelFeed } from "./ChannelFeed.js";
import { ChannelReader } from "./ChannelReader.js";
import type { AnyHandler } from "./ChannelReader.js";
import type { ChannelNews } from "./ChannelSession.js";
import type {
  AnyEvents,
  ChannelCaller,
  ChannelHandlers,
  ChannelHistory,
  ChannelHistoryOptions,
  ChannelMember,
  ChannelMessage,
  ChannelSubscribeOptions,
  ChannelSubscription,
} from "./ChannelContract.js";
import { CollabError } from "./CollabError.js";
import { asJson } from "./jsonData.js";
import { PublishQueue } from "./PublishQueue.js";

/** What a connection tells a channel that is open on it. @internal */
export interface ChannelLink {
  connected(): void;
  disconnected(): void;
  arrived(news: ChannelNews): void;
  closed(reason: string): void;
  destroyed(): void;
}

/**
 * A channel: ordered messages with a history, and who is there. Subscriptions and what waits to be published outlive reconnects.
 * `CollabConnection.channel` makes it.
 */
export class Channel<Events extends object = AnyEvents> {
  /** 1 to 200 characters of `A-Z a-z 0-9 . _ ~ : @ - /`, with no empty segment between slashes; a question mark and a filter may follow, for readers. */
  readonly name: string;
  readonly #caller: ChannelCaller;
  readonly #named: (name: string) => Channel;
  readonly #feed: ChannelFeed;
  readonly #queue: PublishQueue;
  #isDestroyed = false;

  /** @internal */
  readonly link: ChannelLink = {
    connected: () => {
      this.#feed.connected();
      this.#queue.connected();
    },
    disconnected: () => {
      this.#feed.disconnected();
      this.#queue.disconnected();
    },
    arrived: (news) => this.#feed.arrived(news),
    closed: (reason) => this.#feed.closed(reason),
    destroyed: () => {
      this.#isDestroyed = true;
      this.#feed.removeAll(this.#destroyed);
      this.#queue.end(this.#destroyed);
    },
  };

  /** @internal */
  constructor(caller: ChannelCaller, named: (name: string) => Channel, name: string, capacity: number) {
    this.name = name;
    this.#caller = caller;
    this.#named = named;
    this.#feed = new ChannelFeed(caller, name);
    this.#queue = new PublishQueue(caller, name, capacity);
  }

  /**
   * Calls `handler` for each message, once and in order, until {@link ChannelSubscription.unsubscribe}; after a reconnect it goes on where
   * it was, and `onGap` tells when that is not possible. Subscriptions of one channel share what the server sends.
   * @param handler a function for all messages, or one per event.
   */
  subscribe(
    handler: ((message: ChannelMessage<Events>) => void) | ChannelHandlers<Events>,
    { filter, ...options }: ChannelSubscribeOptions = {},
  ): ChannelSubscription {
    if (filter !== undefined) return this.#named(`${this.name}?${filter}`).subscribe(handler as AnyHandler, options);
    let presence: unknown;
    let unsayable: CollabError | undefined;
    try {
      if (options.presence !== undefined) presence = asJson(options.presence);
    } catch (error) {
      unsayable = error as CollabError;
    }
    const reader = new ChannelReader(handler as AnyHandler, { ...options, presence });
    if (this.#isDestroyed) reader.end(this.#destroyed, false);
    else if (unsayable) reader.end(unsayable, true);
    else this.#feed.add(reader);
    return {
      ready: reader.ready,
      get position() {
        return reader.position;
      },
      unsubscribe: () => this.#feed.remove(reader, new CollabError("unsubscribed", `The subscription to "${this.name}" was ended.`)),
    };
  }

  /**
   * Publishes a message. It waits for the connection if there is none, is sent again until the server has acknowledged it, and stands in
   * the log once; those of one channel in the order of the calls. The server remembers keys for a while only (five minutes by default):
   * a message whose acknowledgement was lost that long before the connection came back may stand there twice, with the same `id`.
   * @param event 1 to 128 characters without control characters; not beginning with `collab:`.
   * @param data any JSON value; what is changed in it after the call is not published.
   * @param idempotencyKey tells a repeat, also over another connection; made up when not given.
   * @returns the message's position, once it is durable.
   * @throws CollabError `queue_full` when too many messages wait already; the server's code when it refuses, such as `forbidden`,
   * `invalid_message` or `too_large`; `disconnected` when the connection is destroyed first. `rate_limited` and `unavailable` are tried again.
   */
  publish<E extends keyof Events & string>(event: E, data: Events[E], idempotencyKey?: string): Promise<string> {
    if (this.#isDestroyed) return Promise.reject(this.#destroyed);
    return this.#queue.add(event, data, idempotencyKey);
  }

  /**
   * Reads a part of the history.
   * @throws CollabError `position_lost` when what follows `after` cannot be read whole; `disconnected` when there is no connection.
   */
  async history(options: ChannelHistoryOptions = {}): Promise<ChannelHistory<Events>> {
    return (await this.#caller.call("GetHistory", this.name, options)) as ChannelHistory<Events>;
  }

  /** Who is present. @throws CollabError `disconnected` when there is no connection. */
  members(): Promise<readonly ChannelMember[]> {
    return this.#caller.call("GetMembers", this.name);
  }

  get #destroyed(): CollabError {
    return new CollabError("disconnected", `Channel "${this.name}": the connection was destroyed.`);
  }
}
