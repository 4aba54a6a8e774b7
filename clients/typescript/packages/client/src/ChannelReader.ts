import type { ChannelGap, ChannelHandlers, ChannelMember, ChannelMessage, ChannelSubscribeOptions, MembersChange } from "./ChannelContract.js";
import type { CollabError } from "./CollabError.js";
import { positionBefore, reaches } from "./positions.js";

/** What a subscription hands messages to. */
export type AnyHandler = ((message: ChannelMessage) => void) | ChannelHandlers;

/**
 * One subscription's way through a channel: hands out each message once and in order, and says when some are missing. It does not
 * matter how often, or how far from the beginning, messages are put into it.
 */
export class ChannelReader {
  readonly options: ChannelSubscribeOptions;
  readonly ready: Promise<void>;
  readonly #handler: AnyHandler;
  #settle!: { resolve(): void; reject(error: CollabError): void };
  #position: string | undefined;
  #over = false;
  /** What arrives while the history before it is being read; undefined otherwise. */
  #held: (ChannelMessage | string)[] | undefined;

  constructor(handler: AnyHandler, options: ChannelSubscribeOptions) {
    this.#handler = handler;
    this.options = options;
    this.ready = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    // Who does not ask is not to be bothered: `onClosed` says it too.
    this.ready.catch(() => {});
  }

  get position(): string | undefined {
    return this.#position;
  }

  /** Whether it stands somewhere in the channel. */
  get hasBegun(): boolean {
    return this.#position !== undefined;
  }

  /** Whether it waits for the history before what it holds. */
  get isBehind(): boolean {
    return this.#held !== undefined;
  }

  /** From now on what arrives is held, until {@link release}. */
  hold(): void {
    this.#held ??= [];
  }

  /** The history has been handed out: what was held follows. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const item of held) {
      if (typeof item === "string") this.reach(item);
      else this.read(item);
    }
    this.#settle.resolve();
  }

  /**
   * The server has said what comes next.
   * @param from the position that it follows.
   * @param through how far it is known to go.
   * @param recovered false when something between the asked position and `from` is lost.
   */
  follows(from: string, through: string, recovered: boolean): void {
    const known = this.#position ?? this.options.after;
    if (recovered) {
      this.#position ??= from;
    } else if (!this.#position || !reaches(this.#position, from) || !reaches(through, this.#position)) {
      this.#lose({ after: known, position: from });
    }
  }

  /** The subscription stands. */
  begun(): void {
    if (!this.isBehind) this.#settle.resolve();
  }

  /** A message has arrived, live or from the history. */
  take(message: ChannelMessage): void {
    if (this.#held) return void this.#held.push(message);
    this.read(message);
  }

  /** What arrives live has brought it to this position: what else there was is not for it. */
  advance(position: string): void {
    if (this.#held) this.#held.push(position);
    else this.reach(position);
  }

  /** There is nothing else for it up to this position. */
  reach(position: string): void {
    if (this.#position !== undefined && reaches(position, this.#position)) this.#position = position;
  }

  /** Hands a message out, unless it is one that was handed out before. */
  read(message: ChannelMessage): void {
    if (this.#over) return;
    const [last, before] = [this.#position, positionBefore(message)];
    if (last !== undefined && reaches(last, message.position)) return;
    if (last !== undefined && !reaches(last, before)) this.#lose({ after: last, position: before });
    this.#position = message.position;
    const handler = typeof this.#handler === "function" ? this.#handler : ownHandler(this.#handler, message.event);
    if (handler) this.#tell(() => handler(tidy(message)));
  }

  changed(members: readonly ChannelMember[], change: MembersChange): void {
    this.#tell(() => this.options.onMembers?.(members, change));
  }

  /** Nothing is handed out any more. */
  end(error: CollabError, isRefused: boolean): void {
    if (this.#over) return;
    if (isRefused) this.#tell(() => this.options.onClosed?.(error));
    this.#over = true;
    this.#settle.reject(error);
  }

  #lose(gap: ChannelGap): void {
    this.#position = gap.position;
    this.#tell(() => this.options.onGap?.(gap));
  }

  /** What a handler throws is its page's own matter: it stops neither the other handlers nor the channel. */
  #tell(listener: () => void): void {
    if (this.#over) return;
    try {
      listener();
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

/** An event may have the name of something that every object has. */
function ownHandler(handlers: ChannelHandlers, event: string): ((message: ChannelMessage) => void) | undefined {
  return Object.hasOwn(handlers, event) ? handlers[event] : undefined;
}

/** MessagePack says null where JSON leaves out. */
function tidy(message: ChannelMessage & { readonly skipped?: number | null }): ChannelMessage {
  if (message.skipped !== null) return message;
  const { skipped: _, ...rest } = message;
  return rest;
}
