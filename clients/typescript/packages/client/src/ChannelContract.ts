import type { CollabError } from "./CollabError.js";

/** Events whose names and data nobody has described. */
export type AnyEvents = Record<string, unknown>;

/** A message of a channel whose event is `Event`. */
export interface ChannelMessageOf<Event extends string, Data> {
  /** Where it is in the channel's log: give it as `after` to get what follows. Opaque. */
  readonly position: string;
  /** The idempotency key it was published with, else its position. */
  readonly id: string;
  /** What kind of message it is, as its publisher named it. */
  readonly event: Event;
  readonly data: Data;
  /** When it became durable, in milliseconds since 1970 UTC by the server's clock. */
  readonly publishedAt: number;
  /** The publisher's user id, as the server knows him; null when he has none. */
  readonly publisher: string | null;
  /**
   * How many messages before it one does not get: they are not for one's filter or rights, or this one stands for them in a channel that spares
   * slow readers some. Absent when none.
   */
  readonly skipped?: number;
}

/**
 * A message of a channel with these `Events`, a map of event names to the types of their data: a union that `event` tells apart.
 * The types are what the publishers have agreed on; nobody checks them at run time.
 */
export type ChannelMessage<Events extends object = AnyEvents> = { [E in keyof Events & string]: ChannelMessageOf<E, Events[E]> }[keyof Events &
  string];

/** A handler for each event of interest; messages of other events are passed over. */
export type ChannelHandlers<Events extends object = AnyEvents> = {
  readonly [E in keyof Events & string]?: (message: ChannelMessageOf<E, Events[E]>) => void;
};

/** Who is present in a channel. A user with several connections is one member. */
export interface ChannelMember {
  readonly connectionId: string;
  readonly userId: string | null;
  /** What he shows: what he subscribed with as `presence`. */
  readonly data: unknown;
}

/** Who came and went. One who shows something else now is among the `joined`. */
export interface MembersChange {
  readonly joined: readonly ChannelMember[];
  readonly left: readonly ChannelMember[];
}

/** Messages are lost for this reader: the history no longer has them, or the channel began anew. */
export interface ChannelGap {
  /** The position that nothing, or not everything, is known to follow; undefined when there was none. */
  readonly after: string | undefined;
  /** The position that the next message follows. */
  readonly position: string;
}

/** How to subscribe. Everything is optional: without `after` and `rewind` one gets what is published from now on. */
export interface ChannelSubscribeOptions {
  /** The position of the last message that one has: those after it come first. */
  after?: string;
  /** The last so many messages come first, 0 to 1,000; with `after`, only where that cannot be served. */
  rewind?: number;
  /**
   * Only messages whose data satisfy it come, such as `room_id=eq.7` or `state=in.(open,late)&priority=gte.3`; see `docs/channels.md`. Such a
   * subscription is one of `connection.channel("name?filter")`, with which the history can be read by the filter, too.
   */
  filter?: string;
  /** Makes one a member whom the others see: `true`, or any JSON value to show with it. The newest subscription of a channel says what. */
  presence?: unknown;
  /** Messages were lost; what follows comes as usual. */
  onGap?: (gap: ChannelGap) => void;
  /** Who is present has changed, or is known now. Called only while a subscription of the channel has `presence`. */
  onMembers?: (members: readonly ChannelMember[], change: MembersChange) => void;
  /** The server refused the subscription, now or after a reconnect: it is over. */
  onClosed?: (error: CollabError) => void;
}

/** A subscription to a channel. It outlives reconnects. */
export interface ChannelSubscription {
  /**
   * Resolves once the subscription stands: what is published from then on is received, and what was asked for of the history has been
   * handed out, or its first part. Rejects with a {@link CollabError} when the server refuses it or when it ends before.
   */
  readonly ready: Promise<void>;
  /** The position of the last message that was handed out, or of where the subscription began; undefined until it stands. */
  readonly position: string | undefined;
  /** Ends the subscription: nothing is handed out any more. */
  unsubscribe(): void;
}

/** Which part of the history to read: what follows a position, what precedes one, or the newest. */
export interface ChannelHistoryOptions {
  after?: string;
  before?: string;
  /** At most so many messages: 1 to 1,000, by default 100. */
  limit?: number;
}

/** A part of a channel's history. */
export interface ChannelHistory<Events extends object = AnyEvents> {
  /** In the order of their positions. */
  readonly messages: readonly ChannelMessage<Events>[];
  /** The position of the channel's last message when this was read. */
  readonly position: string;
  /**
   * Give it as `after` again, or as `before` when reading backwards, to read on; absent or null when there was no more. With a filter a part may be
   * empty and have a next one.
   */
  readonly next?: string | null;
}

/** What `Subscribe` returns. */
export interface SubscribedChannel {
  /** The position that `messages` bring the caller to. */
  readonly position: string;
  /** False when something after the asked position is lost. */
  readonly recovered: boolean;
  readonly messages: readonly ChannelMessage[];
  readonly members: readonly ChannelMember[];
}

/** How a channel calls the hub; a `CollabConnection` does. @internal */
export interface ChannelCaller {
  call<K extends keyof ChannelMethods>(method: K, ...args: Parameters<ChannelMethods[K]>): Promise<ReturnType<ChannelMethods[K]>>;
}

/** The methods of the hub for channels. */
export interface ChannelMethods {
  Subscribe(channel: string, options: { after?: string; rewind?: number; presence?: unknown }): SubscribedChannel;
  Unsubscribe(channel: string): void;
  /** Returns the message's position once it is durable. A repeated key returns the position of the first message that had it. */
  Publish(channel: string, event: string, data: unknown, idempotencyKey?: string): string;
  GetHistory(channel: string, options: ChannelHistoryOptions): ChannelHistory;
  GetMembers(channel: string): readonly ChannelMember[];
}
