// Reads channels with a browser's own EventSource. It stands alone: no SignalR, no Yjs, no other file of this package at run time.
import type { AnyEvents, ChannelMessageOf } from "./ChannelContract.js";

/** A handler for each event of interest. */
export type ChannelEventHandlers<Events extends object = AnyEvents> = {
  readonly [E in keyof Events & string]?: (message: ChannelMessageOf<E, Events[E]> & { readonly channel: string }) => void;
};

/** How {@link readChannel} reads. */
export interface ReadChannelOptions {
  /** What `position` of a former reader of the same channels was: what was published after it comes first. */
  after?: string;
  /** The last so many messages of each channel come first, where there is no position: 0 to 1,000. */
  rewind?: number;
  /** Only messages whose data satisfy it, such as `room_id=eq.7`. Of several channels each can have one behind its name: `name?room_id=eq.7`. */
  filter?: string;
  /** Gives a ticket of the server for this path, where cookies do not sign the page in; called whenever a stream is opened. */
  ticket?: (path: string) => string | Promise<string>;
  /** Messages of a channel were lost; what follows `position` comes as usual. */
  onGap?: (gap: { channel: string; position: string }) => void;
}

/** A reader of channels. */
export interface ChannelEventReader {
  /** Give it as `after` to go on from here, for instance after a reload; undefined before the first message. */
  readonly position: string | undefined;
  /** Ends it. */
  close(): void;
}

/**
 * Calls the handlers for each message, once and in order. After a cut the browser comes back by itself and goes on where it was. What
 * it gives up on, such as an answer of a proxy while the server restarts, is tried again after random waits of up to 30 s.
 * @param url where the server is, such as `https://example.com`; empty for the page's own.
 * @param channel one channel, or up to 64 of them over one request.
 * @param handlers one for each event of interest: an EventSource hears only of events that it was told to listen for.
 */
export function readChannel<Events extends object = AnyEvents>(
  url: string,
  channel: string | readonly string[],
  handlers: ChannelEventHandlers<Events>,
  { after, rewind, filter, ticket, onGap }: ReadChannelOptions = {},
): ChannelEventReader {
  const path = `${typeof channel === "string" ? `/channels/${encodeURIComponent(channel)}` : ""}/events`;
  const listeners = { ...handlers, "collab:gap": onGap } as Record<string, ((data: { channel: string }) => void) | undefined>;
  let [position, isClosed, failures] = [after, false, 0];
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const later = (): void => {
    if (!isClosed) timer = setTimeout(open, Math.random() * Math.min(30_000, 1_000 * 2 ** failures++));
  };
  const open = (): void => void (async () => ticket && (await ticket(path)))().then(connect, later);
  const connect = (ticket: string | undefined): void => {
    if (isClosed) return;
    const query = new URLSearchParams(typeof channel === "string" ? [] : channel.map((name) => ["channel", name]));
    if (position !== undefined) query.set("after", position);
    if (filter !== undefined) query.set("filter", filter);
    if (rewind !== undefined) query.set("rewind", String(rewind));
    if (ticket !== undefined) query.set("ticket", ticket);
    const opened = (source = new EventSource(`${url}${path}?${query}`));
    for (const [event, handler] of Object.entries(listeners))
      opened.addEventListener(event, ({ data, lastEventId }: MessageEvent<string>) => {
        // The browser's own `error` and `open` have no data.
        if (typeof data !== "string") return;
        position = lastEventId || position;
        handler?.({ channel, ...JSON.parse(data) });
      });
    opened.onopen = () => (failures = 0);
    opened.onerror = () => {
      // The browser would come back with the same ticket, which is used up.
      if (ticket !== undefined) opened.close();
      if (opened.readyState === EventSource.CLOSED) later();
    };
  };
  open();
  return {
    get position() {
      return position;
    },
    close: () => {
      isClosed = true;
      clearTimeout(timer);
      source?.close();
    },
  };
}
