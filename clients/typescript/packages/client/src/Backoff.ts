/** Jittered exponential backoff: how long to wait before an attempt, so that many clients do not come back at the same moment. */
export class Backoff {
  #attempt = 0;

  /** @param minimum the first ceiling and @param maximum the last ceiling of the wait, in milliseconds. */
  constructor(
    private readonly minimum: number,
    private readonly maximum: number,
  ) {}

  /** The next wait in milliseconds: evenly distributed between 0 and a ceiling that doubles each time ("full jitter"). */
  next(): number {
    const ceiling = Math.min(this.maximum, this.minimum * 2 ** Math.min(this.#attempt++, 30));
    return Math.random() * ceiling;
  }

  /** Begins again at the first ceiling. */
  reset(): void {
    this.#attempt = 0;
  }
}

/** Waits, at most until `signal` is aborted. Never rejects. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done);
  });
}
