import { NotAllowed } from "./status";

/** What `GET /admin/events` answers of each sink. */
export interface Sink {
  readonly name: string;
  readonly disabled: string | null;
  readonly fault: string | null;
  /** Milliseconds since 1970. */
  readonly deliveredAt: number | null;
  readonly waiting: number;
  readonly roomsBehind: number;
  readonly deadLetters: number;
}

/** An event that a sink has not taken. */
export interface DeadLetter {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly reason: string;
  readonly attempts: number;
  readonly event: unknown;
}

/** What came of sending dead letters again. */
export interface Resent {
  readonly delivered: readonly string[];
  readonly fault: string | null;
}

/** Calls what operators may do with events that go out. */
export class EventsClient {
  /** @param token The bearer token to use now; without one the browser's cookies are what there is. */
  constructor(private readonly token: () => string | undefined) {}

  async sinks(): Promise<readonly Sink[]> {
    return (await this.call("GET", "")) as readonly Sink[];
  }

  async deadLetters(sink: string): Promise<readonly DeadLetter[]> {
    const page = (await this.call("GET", `/${encodeURIComponent(sink)}/dead-letters`)) as { letters: readonly DeadLetter[] };
    return page.letters;
  }

  /** Sends one again, or all. */
  async resend(sink: string, id?: string): Promise<Resent> {
    const query = id === undefined ? "" : `?id=${encodeURIComponent(id)}`;
    return (await this.call("POST", `/${encodeURIComponent(sink)}/dead-letters/resend${query}`)) as Resent;
  }

  async forget(sink: string, id: string): Promise<void> {
    await this.call("DELETE", `/${encodeURIComponent(sink)}/dead-letters/${encodeURIComponent(id)}`);
  }

  async enable(sink: string): Promise<void> {
    await this.call("POST", `/${encodeURIComponent(sink)}/enable`);
  }

  private async call(method: string, path: string): Promise<unknown> {
    const token = this.token();
    const answer = await fetch(`/admin/events${path}`, {
      method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      cache: "no-store",
    });
    if (answer.status === 401 || answer.status === 403) throw new NotAllowed(answer.status);
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    return answer.status === 204 ? undefined : await answer.json();
  }
}
