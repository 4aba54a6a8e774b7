import * as Y from "yjs";
import { Backoff, pause } from "./Backoff.js";
import type { CollabError } from "./CollabError.js";

/** A push carries at most about this many bytes and this many updates, unless one update alone is larger. */
const MAX_PUSH_BYTES = 256 * 1024;
const MAX_PUSH_UPDATES = 1_000;

/** What a {@link PushQueue} works with. */
export interface PushQueueOptions {
  /** Sends one update. @returns its position, once it is durable. @throws CollabError */
  push(update: Uint8Array): Promise<string>;
  /** An update is durable. `count` is how many of the queued changes it carried. */
  acknowledged(update: Uint8Array, position: string, count: number): void;
  /** A rule refuses `count` of the queued changes. @returns whether they were taken back, so that all is to be pushed with that. */
  rejected(count: number, error: CollabError): boolean;
  /** A push failed. Transient failures are tried again; an update that was refused is left out. */
  failed(error: CollabError): void;
}

/**
 * Sends the updates of one document during one membership: one push at a time, and what is produced meanwhile goes merged into the
 * next. When the connection dies it is thrown away with what it holds: the exchange of state vectors on rejoining covers that.
 */
export class PushQueue {
  readonly #options: PushQueueOptions;
  readonly #signal: AbortSignal;
  readonly #backoff = new Backoff(100, 10_000);
  #updates: { update: Uint8Array; count: number }[] = [];
  #busy = false;

  /** @param signal aborted when the membership ends. */
  constructor(options: PushQueueOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** Whether nothing is queued or on its way. */
  get isIdle(): boolean {
    return !this.#busy;
  }

  /** Queues an update that carries `count` changes. */
  add(update: Uint8Array, count: number): void {
    this.#updates.push({ update, count });
    if (!this.#busy) void this.#send();
  }

  async #send(): Promise<void> {
    this.#busy = true;
    // What one task produces goes out together.
    await Promise.resolve();
    while (this.#updates.length > 0 && !this.#signal.aborted) {
      const next = this.#take();
      try {
        const position = await this.#options.push(next.update);
        this.#backoff.reset();
        this.#options.acknowledged(next.update, position, next.count);
      } catch (thrown) {
        const error = thrown as CollabError;
        if (this.#signal.aborted || error.code === "disconnected") break;
        if (error.code === "rejected" && this.#options.rejected(next.count, error)) {
          // Together with what takes it back it changes nothing, and what comes after it needs it: updates have no gaps.
          this.#updates.unshift(next);
          this.#updates = [merged(this.#updates)];
          continue;
        }
        if (error.isTransient) this.#updates.unshift(next);
        this.#options.failed(error);
        if (error.isTransient) await pause(this.#backoff.next(), this.#signal);
      }
    }
    this.#busy = false;
  }

  /** Takes what the next push carries, oldest first. */
  #take(): { update: Uint8Array; count: number } {
    let bytes = 0;
    let taken = 0;
    for (const { update } of this.#updates) {
      bytes += update.length;
      if (taken > 0 && (bytes > MAX_PUSH_BYTES || taken === MAX_PUSH_UPDATES)) break;
      taken++;
    }
    return merged(this.#updates.splice(0, taken));
  }
}

function merged(updates: readonly { update: Uint8Array; count: number }[]): { update: Uint8Array; count: number } {
  return {
    update: updates.length === 1 ? updates[0]!.update : Y.mergeUpdates(updates.map(({ update }) => update)),
    count: updates.reduce((sum, { count }) => sum + count, 0),
  };
}
