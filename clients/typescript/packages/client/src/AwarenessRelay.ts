import { applyAwarenessUpdate, encodeAwarenessUpdate, removeAwarenessStates } from "y-protocols/awareness";
import type { Awareness } from "y-protocols/awareness";
import { pause } from "./Backoff.js";

/** The least time between two pushes of the own state, in milliseconds: carets move smoothly enough at 30 a second. */
const INTERVAL = 33;

/** What the "update" event of an awareness says. */
interface AwarenessChange {
  added: number[];
  updated: number[];
  removed: number[];
}

/**
 * Keeps an awareness in step with the others' during one membership: pushes the own state, latest wins and at most one push on its
 * way, and applies what the others send. Renewal every 15 s, and dropping those who have been silent for 30 s, is the awareness' own work.
 */
export class AwarenessRelay {
  readonly #awareness: Awareness;
  readonly #push: (update: Uint8Array) => Promise<void>;
  readonly #signal: AbortSignal;
  #joined = false;
  #changed = false;
  #busy = false;

  /** @param signal aborted when the membership ends; the others' states are then forgotten. */
  constructor(awareness: Awareness, push: (update: Uint8Array) => Promise<void>, signal: AbortSignal) {
    this.#awareness = awareness;
    this.#push = push;
    this.#signal = signal;
    awareness.on("update", this.#onUpdate);
    signal.addEventListener("abort", () => {
      awareness.off("update", this.#onUpdate);
      const others = [...awareness.meta.keys()].filter((client) => client !== awareness.clientID);
      removeAwarenessStates(awareness, others, this);
      // Who is still there says the same under the same clock when we come back: that must count as news.
      for (const client of others) awareness.meta.delete(client);
    });
  }

  /**
   * The document is joined: tells the others of the own state anew, with a clock that is ahead of the one under which the server may have removed it: a
   * server removes with the next clock, so the clock goes up by two.
   */
  announce(): void {
    this.#joined = true;
    const state = this.#awareness.getLocalState();
    if (state === null) return;
    for (let i = 0; i < 2; i++) this.#awareness.setLocalState(state);
  }

  /** Applies the others' states, also those that arrive before the answer to the join. */
  apply(update: Uint8Array): void {
    // Two bytes or fewer hold no state.
    if (update.length > 2) applyAwarenessUpdate(this.#awareness, update, this);
  }

  readonly #onUpdate = ({ added, updated, removed }: AwarenessChange): void => {
    // Only the own state: everyone speaks for himself. That includes the answer to somebody who removed it.
    const own = this.#awareness.clientID;
    if (!added.includes(own) && !updated.includes(own) && !removed.includes(own)) return;
    this.#changed = true;
    if (this.#joined && !this.#busy) void this.#send();
  };

  async #send(): Promise<void> {
    this.#busy = true;
    while (this.#changed && !this.#signal.aborted) {
      this.#changed = false;
      // A lost state is harmless: the next change or renewal carries all of it.
      await this.#push(encodeAwarenessUpdate(this.#awareness, [this.#awareness.clientID])).catch(() => {});
      await pause(INTERVAL, this.#signal);
    }
    this.#busy = false;
  }
}
