import { DefaultHttpClient, HttpClient, HttpError, NullLogger } from "@microsoft/signalr";
import type { HttpRequest, HttpResponse } from "@microsoft/signalr";
import { pause } from "./Backoff.js";
import { CollabError } from "./CollabError.js";
import type { CollabErrorCode } from "./CollabError.js";

/** Gives a bearer token, a fresh one each time. */
export type AccessTokenFactory = () => string | Promise<string>;

/** What opens one connection. */
export interface Admission {
  /** Takes the token's place in one address, once; undefined where the server has no tickets. */
  readonly ticket: string | undefined;
  /** How long the token is good for, in milliseconds; undefined when it does not expire, or when nobody says so. */
  readonly lifetime: number | undefined;
}

/** The hub's path on the server, whatever address leads there. */
const HUB_PATH = "/hubs/collab";
/** How long before its end a token is renewed, in milliseconds; one with a short life after four fifths of it. */
const AHEAD = 60_000;
/** The wait after a renewal that failed on its way, in milliseconds. */
const RETRY_AFTER = 2_000;
/** The longest wait that timers know, in milliseconds. */
const MAX_WAIT = 2 ** 31 - 1;

/** Signs the connections of one session in and keeps them so. Tokens travel in headers alone. */
export class SignIn {
  readonly #hub: string;
  readonly #session: string;
  readonly #factory: AccessTokenFactory;
  readonly #credentials: RequestCredentials;
  #token = "";

  /** Sends SignalR's own requests with the present token. */
  readonly http: HttpClient = new SignedHttpClient(this);

  /**
   * @param hub the hub's address.
   * @param session the name under which connections are opened.
   */
  constructor(hub: string, session: string, factory: AccessTokenFactory, withCredentials = true) {
    this.#hub = hub.split(/[?#]/, 1)[0]!.replace(/\/+$/, "");
    this.#session = session;
    this.#factory = factory;
    this.#credentials = withCredentials ? "include" : "same-origin";
  }

  /** The header of requests, with the token that was fetched last. */
  get headers(): { Authorization: string } {
    return { Authorization: `Bearer ${this.#token}` };
  }

  /** Fetches a fresh token. @throws CollabError `unauthorized` when there is none. */
  async refreshToken(): Promise<void> {
    try {
      this.#token = await this.#factory();
    } catch (error) {
      throw new CollabError("unauthorized", `There is no token: ${textOf(error)}`, { cause: error });
    }
  }

  /**
   * Asks for what opens a connection.
   * @throws CollabError `unauthorized` or `unreachable`.
   */
  async admit(signal: AbortSignal): Promise<Admission> {
    const server = this.#hub.endsWith(HUB_PATH) ? this.#hub.slice(0, -HUB_PATH.length) : new URL(this.#hub, globalThis.location?.href).origin;
    try {
      const { ticket, tokenLifetimeSeconds } = (await this.#post(`${server}/tickets`, { path: HUB_PATH }, signal)) as Ticket;
      return { ticket, lifetime: milliseconds(tokenLifetimeSeconds) };
    } catch (error) {
      if ((error as CollabError).code !== "not_found") throw error;
      return { ticket: undefined, lifetime: undefined };
    }
  }

  /**
   * Renews the token of the open connection again and again before it expires.
   * @param lifetime how long the present one is good for, in milliseconds.
   * @param renewed called after each renewal, as rights may have changed.
   * @param failed called when a renewal is refused: the connection will be closed when the present token expires.
   */
  async keep(lifetime: number | undefined, renewed: () => void, failed: (error: CollabError) => void, signal: AbortSignal): Promise<void> {
    try {
      for (let left = lifetime; left !== undefined; ) {
        const expires = Date.now() + left;
        await pause(Math.min(left - Math.min(AHEAD, left / 5), MAX_WAIT), signal);
        if (signal.aborted) return;
        left = await this.#renew(expires, signal);
        if (!signal.aborted) renewed();
      }
    } catch (error) {
      // A connection that has gone meanwhile is followed by one with a token of its own.
      if (!signal.aborted && (error as CollabError).code !== "not_found") failed(error as CollabError);
    }
  }

  /** @returns how long the new token is good for, in milliseconds. */
  async #renew(expires: number, signal: AbortSignal): Promise<number | undefined> {
    for (;;) {
      try {
        const answer = await this.#post(`${this.#hub}/refresh?session=${encodeURIComponent(this.#session)}`, undefined, signal);
        return milliseconds((answer as Renewal).tokenLifetimeSeconds);
      } catch (error) {
        if ((error as CollabError).code !== "unreachable" || Date.now() >= expires) throw error;
      }
      await pause(RETRY_AFTER, signal);
    }
  }

  /** Posts with a fresh token; after a 401 once more with another one. */
  async #post(url: string, body: object | undefined, signal: AbortSignal): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      await this.refreshToken();
      const response = await this.#send(url, body, signal);
      if (response.ok) return await response.json();
      if (response.status !== 401 || attempt > 1) throw new CollabError(codeOf(response.status), `${url} answered ${response.status}.`);
    }
  }

  async #send(url: string, body: object | undefined, signal: AbortSignal): Promise<Response> {
    try {
      return await fetch(url, {
        method: "POST",
        headers: { ...this.headers, ...(body && { "Content-Type": "application/json" }) },
        credentials: this.#credentials,
        signal,
        ...(body && { body: JSON.stringify(body) }),
      });
    } catch (error) {
      throw new CollabError("unreachable", `${url} cannot be reached: ${textOf(error)}`, { cause: error });
    }
  }
}

/** SignalR would put a token that it knows into the address of an EventSource; this one keeps it to itself. */
class SignedHttpClient extends HttpClient {
  readonly #inner = new DefaultHttpClient(NullLogger.instance);

  constructor(private readonly signIn: SignIn) {
    super();
  }

  override async send(request: HttpRequest): Promise<HttpResponse> {
    try {
      return await this.#inner.send(this.#signed(request));
    } catch (error) {
      if (!(error instanceof HttpError) || error.statusCode !== 401) throw error;
      await this.signIn.refreshToken();
      return await this.#inner.send(this.#signed(request));
    }
  }

  override getCookieString(url: string): string {
    return this.#inner.getCookieString(url);
  }

  #signed(request: HttpRequest): HttpRequest {
    return { ...request, headers: { ...request.headers, ...this.signIn.headers } };
  }
}

interface Renewal {
  /** Absent for a token that does not expire. */
  readonly tokenLifetimeSeconds?: number;
}

interface Ticket extends Renewal {
  readonly ticket: string;
}

function codeOf(status: number): CollabErrorCode {
  if (status === 404) return "not_found";
  return status === 401 || status === 403 ? "unauthorized" : "unreachable";
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
