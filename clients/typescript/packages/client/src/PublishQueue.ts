import { Backoff, pause } from "./Backoff.js";
import type { ChannelCaller } from "./ChannelContract.js";
import { asCollabError, ChannelSession } from "./ChannelSession.js";
import { CollabError } from "./CollabError.js";
import { asJson } from "./jsonData.js";
import { randomName } from "./randomName.js";

interface Publish {
  readonly event: string;
  readonly data: unknown;
  readonly key: string;
  resolve(position: string): void;
  reject(error: CollabError): void;
}

/**
 * What is to be published in one channel: one message after the other, so that they stand in the log in the order of the calls. A message
 * whose acknowledgement was lost is sent again under the same key, by which the server knows it.
 */
export class PublishQueue {
  readonly #name: string;
  readonly #caller: ChannelCaller;
  readonly #capacity: number;
  #waiting: Publish[] = [];
  #session: ChannelSession | undefined;
  #isBusy = false;

  /** @param capacity how many messages may wait. */
  constructor(caller: ChannelCaller, name: string, capacity: number) {
    this.#caller = caller;
    this.#name = name;
    this.#capacity = capacity;
  }

  /** Queues a message. @returns its position, once it is durable. @throws CollabError */
  add(event: string, data: unknown, key = randomName()): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length >= this.#capacity)
        throw new CollabError("queue_full", `${this.#capacity} messages wait to be published in "${this.#name}" already: wait for their acknowledgements.`);
      this.#waiting.push({ event, data: asJson(data), key, resolve, reject });
      void this.#send();
    });
  }

  connected(): void {
    this.#session = new ChannelSession(this.#caller);
    void this.#send();
  }

  disconnected(): void {
    this.#session?.end();
    this.#session = undefined;
  }

  /** Nothing is sent any more. */
  end(error: CollabError): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(error);
  }

  async #send(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    const backoff = new Backoff(100, 10_000);
    for (let next = this.#waiting[0]; next && this.#session; next = this.#waiting[0]) {
      const session = this.#session;
      try {
        const position = await session.call("Publish", this.#name, next.event, next.data, next.key);
        this.#done(next);
        next.resolve(position);
        backoff.reset();
      } catch (thrown) {
        const error = asCollabError(thrown);
        // Whether it was published is not known: it goes again over the next connection.
        if (error.code === "disconnected") {
          if (this.#session === session) break;
        } else if (error.code === "rate_limited" || error.code === "unavailable") {
          await pause(backoff.next(), session.signal);
        } else {
          this.#done(next);
          next.reject(error);
        }
      }
    }
    this.#isBusy = false;
  }

  #done(publish: Publish): void {
    if (this.#waiting[0] === publish) this.#waiting.shift();
  }
}
