/** The names of an emitter's events with the signature of their listeners. */
export type EventMap<T> = { [K in keyof T]: (...args: never[]) => void };

/**
 * A small typed event emitter. A listener that throws stops neither the other listeners nor the emitter: its error is reported as
 * an uncaught one.
 */
export class TypedEvents<Events extends EventMap<Events>> {
  readonly #listeners = new Map<keyof Events, Set<(...args: never[]) => void>>();

  /** Calls `listener` on every `event` from now on. Adding the same listener twice has no effect. */
  on<K extends keyof Events>(event: K, listener: Events[K]): this {
    let listeners = this.#listeners.get(event);
    if (!listeners) this.#listeners.set(event, (listeners = new Set()));
    listeners.add(listener);
    return this;
  }

  /** Calls `listener` on the next `event` only. */
  once<K extends keyof Events>(event: K, listener: Events[K]): this {
    const once = (...args: never[]): void => {
      this.off(event, once as Events[K]);
      listener(...args);
    };
    return this.on(event, once as Events[K]);
  }

  /** Removes a listener that was added with {@link on}. */
  off<K extends keyof Events>(event: K, listener: Events[K]): this {
    this.#listeners.get(event)?.delete(listener);
    return this;
  }

  /** Tells the listeners of `event`, in the order in which they were added. */
  protected emit<K extends keyof Events>(event: K, ...args: Parameters<Events[K]>): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        listener(...(args as never[]));
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** Forgets all listeners. */
  protected removeAllListeners(): void {
    this.#listeners.clear();
  }
}
