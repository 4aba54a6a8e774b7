import type { ChannelCaller, ChannelMethods, ChannelMessage, MembersChange } from "./ChannelContract.js";
import { CollabError } from "./CollabError.js";

/** What the server sends of its own accord. */
export type ChannelNews =
  | { readonly message: ChannelMessage }
  | { readonly change: MembersChange }
  /** Everything up to this position that the subscription gets has come. */
  | { readonly position: string };

/** A channel over one connection, from its start to its end: what the server knows of us, and calls that end with the connection. */
export class ChannelSession {
  readonly #ending = new AbortController();
  readonly #caller: ChannelCaller;
  /** Whether the server knows that we are subscribed. */
  isSubscribed = false;
  /** What the server shows of us, as JSON; undefined when nothing. */
  presence: string | undefined;
  /** What arrives before the answer to `Subscribe` has been dealt with. A client hears of an answer later than of messages behind it. */
  held: ChannelNews[] | undefined;
  /** Whether somebody is bringing the server's state in line with what is wanted. */
  isBusy = false;

  constructor(caller: ChannelCaller) {
    this.#caller = caller;
  }

  /** Aborted when the connection has ended. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  end(): void {
    this.#ending.abort();
  }

  /** Calls the hub. @throws CollabError the server's, or `disconnected` as soon as the connection has ended. */
  async call<K extends keyof ChannelMethods>(method: K, ...args: Parameters<ChannelMethods[K]>): Promise<ReturnType<ChannelMethods[K]>> {
    const { signal } = this;
    let abandon: (() => void) | undefined;
    const ended = new Promise<never>((_, reject) => {
      abandon = () => reject(new CollabError("disconnected", `${method}: the connection ended before the server answered.`));
      signal.addEventListener("abort", abandon);
      if (signal.aborted) abandon();
    });
    try {
      return await Promise.race([this.#caller.call(method, ...args), ended]);
    } finally {
      if (abandon) signal.removeEventListener("abort", abandon);
    }
  }
}

/** What was thrown, as an error with a code. */
export function asCollabError(thrown: unknown): CollabError {
  return thrown instanceof CollabError ? thrown : new CollabError("internal", String(thrown), { cause: thrown });
}
