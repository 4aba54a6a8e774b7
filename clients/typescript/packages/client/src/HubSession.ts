import { HttpTransportType, HubConnectionBuilder, HubConnectionState, LogLevel } from "@microsoft/signalr";
import type { HubConnection, IHttpConnectionOptions, ILogger } from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { CollabError, serverError } from "./CollabError.js";
import type { ChannelNews } from "./ChannelSession.js";
import type { ChannelMessage, MembersChange } from "./ChannelContract.js";
import { bytesFromWire, resultFromWire, toWire } from "./HubContract.js";
import type { HubMethods, HubProtocol } from "./HubContract.js";
import { pause } from "./Backoff.js";
import { withQuery } from "./addresses.js";
import type { Admission, SignIn } from "./SignIn.js";
import type { Transport } from "./transports.js";

const SIGNALR_TRANSPORT = {
  webSockets: HttpTransportType.WebSockets,
  serverSentEvents: HttpTransportType.ServerSentEvents,
  longPolling: HttpTransportType.LongPolling,
} as const;

/** How long the end of a connection is awaited before the next one is opened, in milliseconds. */
const STOP_TIMEOUT = 1_000;

/** What a session needs to open. */
export interface HubSessionOptions {
  readonly url: string;
  readonly transport: Transport;
  readonly protocol: HubProtocol;
  /** Signs in; without it cookies, if anything, say who we are. */
  readonly signIn?: SignIn | undefined;
  readonly withCredentials?: boolean | undefined;
  readonly logger?: ILogger | undefined;
  /** How long opening may take, in milliseconds. */
  readonly connectTimeout: number;
  /** Called for what the server sends; never after the session has ended. */
  readonly onDocumentUpdated: (documentId: string, update: Uint8Array, position: string) => void;
  readonly onAwarenessUpdated: (documentId: string, awareness: Uint8Array) => void;
  readonly onDocumentClosed: (documentId: string, reason: string) => void;
  readonly onChannelNews: (channel: string, news: ChannelNews) => void;
  readonly onChannelClosed: (channel: string, reason: string) => void;
  /** The token was renewed, so that rights may have changed; or that was refused. */
  readonly onRenewed: () => void;
  readonly onRenewalRefused: (error: CollabError) => void;
}

/** One open SignalR connection, from its start to its end. It does not reconnect. */
export class HubSession {
  readonly #hub: HubConnection;
  readonly #options: HubSessionOptions;
  readonly #ending = new AbortController();
  #over = false;
  #end!: (error?: Error) => void;
  #stopped: Promise<void> | undefined;

  /** Resolves when the session is over, with the error that ended it if there was one: from then on it delivers nothing. */
  readonly ended = new Promise<Error | undefined>((resolve) => (this.#end = resolve));

  private constructor(options: HubSessionOptions, admission: Admission | undefined) {
    this.#options = options;
    this.#hub = build(options, admission);
    this.#hub.onclose((error) => this.#finish(error));
    this.#on("DocumentUpdated", (documentId, update, position) =>
      options.onDocumentUpdated(String(documentId), bytesFromWire(update), String(position)),
    );
    this.#on("AwarenessUpdated", (documentId, awareness) => options.onAwarenessUpdated(String(documentId), bytesFromWire(awareness)));
    this.#on("DocumentClosed", (documentId, reason) => options.onDocumentClosed(String(documentId), String(reason)));
    this.#on("MessageReceived", (channel, message) => options.onChannelNews(String(channel), { message: message as ChannelMessage }));
    this.#on("ChannelAdvanced", (channel, position) => options.onChannelNews(String(channel), { position: String(position) }));
    this.#on("ChannelClosed", (channel, reason) => options.onChannelClosed(String(channel), String(reason)));
    this.#on("MembersChanged", (channel, change) => options.onChannelNews(String(channel), { change: change as MembersChange }));
  }

  /**
   * Opens a connection.
   * @throws CollabError `unauthorized` or `unreachable`; also when `signal` is aborted or opening takes too long.
   */
  static async open(options: HubSessionOptions, signal: AbortSignal): Promise<HubSession> {
    const waiting = new AbortController();
    const giveUp = (): void => waiting.abort();
    signal.addEventListener("abort", giveUp);
    const timeout = pause(options.connectTimeout, waiting.signal).then(() => undefined);
    let session: HubSession | undefined;
    try {
      const starting = HubSession.#start(options, waiting.signal, (made) => (session = made));
      const started = await Promise.race([starting, timeout]);
      if (started) return started;
      starting.catch(() => {});
      throw new Error(signal.aborted ? "The attempt was given up." : `No answer in ${options.connectTimeout} ms.`);
    } catch (error) {
      void session?.stop();
      if (error instanceof CollabError) throw error;
      const text = error instanceof Error ? error.message : String(error);
      const code = /\b(401|403)\b|Unauthorized|Forbidden/.test(text) ? "unauthorized" : "unreachable";
      throw new CollabError(code, `Cannot connect to ${options.url} over ${options.transport}: ${text}`, { cause: error });
    } finally {
      signal.removeEventListener("abort", giveUp);
      giveUp();
    }
  }

  static async #start(options: HubSessionOptions, signal: AbortSignal, made: (session: HubSession) => void): Promise<HubSession | undefined> {
    const admission = await options.signIn?.admit(signal);
    if (signal.aborted) return undefined;
    const session = new HubSession(options, admission);
    made(session);
    await session.#hub.start();
    void options.signIn?.keep(admission?.lifetime, options.onRenewed, options.onRenewalRefused, session.#ending.signal);
    return session;
  }

  get transport(): Transport {
    return this.#options.transport;
  }

  get protocol(): HubProtocol {
    return this.#options.protocol;
  }

  /** Calls a hub method. @throws CollabError the server's, or `disconnected` when the connection ended before the answer. */
  async call<K extends keyof HubMethods>(method: K, ...args: Parameters<HubMethods[K]>): Promise<ReturnType<HubMethods[K]>> {
    if (this.#over) throw new CollabError("disconnected", `${method}: the connection has ended.`);
    try {
      const result: unknown = await this.#hub.invoke(method, ...args.map((arg) => toWire(arg, this.protocol)));
      return resultFromWire(result) as ReturnType<HubMethods[K]>;
    } catch (error) {
      const answer = this.#hub.state === HubConnectionState.Connected ? serverError(error) : undefined;
      if (answer) throw answer;
      // A request that failed on the way may have been lost, and what was sent after it not: begin again with a new connection.
      void this.stop();
      throw new CollabError("disconnected", `${method}: the connection ended before the server answered.`, { cause: error });
    }
  }

  /** Ends the session at once. @returns when the connection below is closed too, or does not close in time. */
  stop(): Promise<void> {
    this.#finish();
    this.#stopped ??= this.#close();
    return this.#stopped;
  }

  async #close(): Promise<void> {
    const waiting = new AbortController();
    await Promise.race([this.#hub.stop().catch(() => {}), pause(STOP_TIMEOUT, waiting.signal)]);
    waiting.abort();
  }

  #finish(error?: Error): void {
    this.#over = true;
    this.#ending.abort();
    this.#end(error);
  }

  #on(method: string, handler: (...args: unknown[]) => void): void {
    this.#hub.on(method, (...args: unknown[]) => {
      if (!this.#over) handler(...args);
    });
  }
}

function build(options: HubSessionOptions, admission: Admission | undefined): HubConnection {
  const webSockets = options.transport === "webSockets";
  const { signIn } = options;
  const ticket = admission?.ticket;
  const http: IHttpConnectionOptions = {
    transport: SIGNALR_TRANSPORT[options.transport],
    // Saves a round trip, and works behind balancers that send each request to another node.
    skipNegotiation: webSockets,
    // Node sends headers with every transport, browsers with neither WebSockets nor EventSource.
    ...(signIn && { httpClient: signIn.http, headers: { ...signIn.headers } }),
    ...(ticket !== undefined && typeof EventSource !== "undefined" && { EventSource: eventSourceWith(ticket) }),
    ...(options.withCredentials !== undefined && { withCredentials: options.withCredentials }),
  };
  const builder = new HubConnectionBuilder()
    .withUrl(webSockets && ticket !== undefined ? withQuery(options.url, "ticket", ticket) : options.url, http)
    .withServerTimeout(30_000)
    .withKeepAliveInterval(15_000)
    .configureLogging(options.logger ?? LogLevel.None);
  if (options.protocol === "messagepack") builder.withHubProtocol(new MessagePackHubProtocol());
  return builder.build();
}

/** A browser's EventSource that signs in by a ticket. */
function eventSourceWith(ticket: string): typeof EventSource {
  return class extends EventSource {
    constructor(url: string | URL, init?: EventSourceInit) {
      super(withQuery(String(url), "ticket", ticket), init);
    }
  };
}
