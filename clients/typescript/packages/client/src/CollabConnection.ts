import type { ILogger } from "@microsoft/signalr";
import { Backoff, pause } from "./Backoff.js";
import { Channel } from "./Channel.js";
import type { AnyEvents } from "./ChannelContract.js";
import { CollabError } from "./CollabError.js";
import { listenToEnvironment, seemsOnline } from "./environment.js";
import type { HubMethods, HubProtocol, JoinedDocument } from "./HubContract.js";
import { HubSession } from "./HubSession.js";
import type { HubSessionOptions } from "./HubSession.js";
import { withQuery } from "./addresses.js";
import { randomName } from "./randomName.js";
import { SignIn } from "./SignIn.js";
import { protocolFor, TransportChoice } from "./transports.js";
import type { Transport, TransportMode } from "./transports.js";
import { TypedEvents } from "./TypedEvents.js";

/** `"connecting"`: an attempt is under way. `"disconnected"`: waiting for the next attempt, or not wanted. */
export type CollabStatus = "connecting" | "connected" | "disconnected";

/** Settings of a {@link CollabConnection}. */
export interface CollabConnectionOptions {
  /** The hub's address, such as `https://example.com/hubs/collab`. In a browser it may be relative to the page. */
  url: string;
  /**
   * Gives the bearer token: called for each connection, before a token expires, and after the server has refused one. It should give a
   * fresh one each time. The token travels in headers alone; an address gets a single-use ticket in its place.
   */
  accessTokenFactory?: () => string | Promise<string>;
  /** The transport, or `"auto"` (default): WebSockets, else server-sent events, else long polling. */
  connection?: TransportMode;
  /** The hub protocol where the transport allows it. Default `"messagepack"`; server-sent events always use `"json"`. */
  protocol?: HubProtocol;
  /** Whether to connect at once. Default true. */
  connect?: boolean;
  /** Bounds of the wait between attempts, in milliseconds. The wait is random below a ceiling that doubles from `minimum` to `maximum`. */
  backoff?: { minimum?: number; maximum?: number };
  /** How long one attempt over one transport may take, in milliseconds. Default 10,000. */
  connectTimeout?: number;
  /** How many messages may wait to be published in one channel. Default 1,000. */
  publishQueue?: number;
  /** Whether cookies go along to another origin; SignalR's default is true. */
  withCredentials?: boolean;
  /** Where SignalR logs. Default: nowhere. */
  logger?: ILogger;
}

/** The events of a {@link CollabConnection}. */
export interface CollabConnectionEvents {
  /** The connection's state changed. */
  status: (event: { status: CollabStatus }) => void;
  /**
   * An attempt failed (`unreachable`, `unauthorized`), the connection was lost (`disconnected`), or a fresh token was refused
   * (`unauthorized`), which ends the connection when the present one expires. The next attempt follows by itself.
   */
  error: (error: CollabError) => void;
}

/** What a connection tells the one who has opened a document on it. @internal */
export interface DocumentMember {
  readonly documentId: string;
  connecting(): void;
  connected(): void;
  disconnected(): void;
  /** The page became visible again. */
  resumed(): void;
  /** The page is about to go away. */
  leaving(): void;
  /** The user's rights may have changed. */
  renewed(): void;
  updated(update: Uint8Array): void;
  awarenessUpdated(awareness: Uint8Array): void;
  closed(reason: string): void;
}

/** How many messages may wait to be published in one channel. */
const PUBLISH_QUEUE = 1_000;

/** A connection that has lasted this long, in milliseconds, was not refused at once, so the backoff begins anew. */
const STABLE_AFTER = 5_000;

/**
 * A connection to a Collab server, shared by any number of documents and channels. It connects and reconnects by itself until it is destroyed:
 * one loop opens one session after another, so there is never a second one that delivers.
 */
export class CollabConnection extends TypedEvents<CollabConnectionEvents> {
  readonly #options: CollabConnectionOptions;
  readonly #members = new Map<string, DocumentMember>();
  readonly #channels = new Map<string, Channel>();
  /** Names this connection through all its reconnects, so that the server at once ends what is left of the former one. */
  readonly #sessionName = randomName();
  readonly #signIn: SignIn | undefined;
  /** Leaving that the server has not confirmed yet: calls may overtake each other, and joining must not overtake it. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #backoff: Backoff;
  readonly #stopListening: () => void;
  #choice: TransportChoice;
  #status: CollabStatus = "disconnected";
  #session: HubSession | undefined;
  #wanted = false;
  /** Whether the page is in the back/forward cache, or on its way out. */
  #away = false;
  #destroyed = false;
  #loop: Promise<void> | undefined;
  /** Aborted to cut short the current attempt and the wait before the next one. */
  #hurry = new AbortController();

  constructor(options: CollabConnectionOptions) {
    super();
    this.#options = options;
    const { url, accessTokenFactory, withCredentials } = options;
    this.#signIn = accessTokenFactory && new SignIn(url, this.#sessionName, accessTokenFactory, withCredentials);
    this.#choice = new TransportChoice(options.connection ?? "auto");
    this.#backoff = new Backoff(options.backoff?.minimum ?? 100, options.backoff?.maximum ?? 10_000);
    this.#stopListening = listenToEnvironment({
      online: () => this.#retryNow(),
      offline: () => void this.#session?.stop(),
      visible: () => {
        this.#retryNow();
        for (const member of this.#members.values()) member.resumed();
      },
      hidden: () => {
        this.#away = true;
        for (const member of this.#members.values()) member.leaving();
        this.reconnect();
      },
      restored: () => {
        this.#away = false;
        if (this.#wanted) this.connect();
      },
    });
    if (options.connect ?? true) this.connect();
  }

  /** The hub's address. */
  get url(): string {
    return this.#options.url;
  }

  get status(): CollabStatus {
    return this.#status;
  }

  /** The transport in use; undefined while there is no connection. */
  get transport(): Transport | undefined {
    return this.#session?.transport;
  }

  /** The hub protocol in use; undefined while there is no connection. */
  get protocol(): HubProtocol | undefined {
    return this.#session?.protocol;
  }

  /** The transport asked for. Setting it reconnects in place; documents stay open and lose nothing. */
  get mode(): TransportMode {
    return this.#choice.mode;
  }

  set mode(mode: TransportMode) {
    if (mode === this.#choice.mode) return;
    this.#choice = new TransportChoice(mode);
    this.reconnect();
  }

  /** Connects, and stays connected until {@link disconnect} or {@link destroy}. */
  connect(): void {
    if (this.#destroyed) throw new Error("The connection was destroyed.");
    this.#wanted = true;
    this.#loop ??= this.#run();
  }

  /** Ends the connection. {@link connect} begins again. */
  async disconnect(): Promise<void> {
    this.#wanted = false;
    this.#hurry.abort();
    await this.#session?.stop();
    await this.#loop;
  }

  /** Ends the current connection, if there is one, and opens a new one without delay. */
  reconnect(): void {
    this.#backoff.reset();
    this.#hurry.abort();
    void this.#session?.stop();
  }

  /** Ends the connection for good. Documents that are open on it become disconnected, and subscriptions to channels end. */
  async destroy(): Promise<void> {
    this.#destroyed = true;
    this.#stopListening();
    for (const { link } of this.#channels.values()) link.destroyed();
    await this.disconnect();
    this.removeAllListeners();
  }

  /**
   * The channel of that name, the same object each time. Nothing is sent before it is used. With a filter after it, as in
   * `db:public.messages?room_id=eq.7`, it is for reading, and has only what satisfies the filter.
   * @typeParam Events a map of event names to the types of their data, as in `connection.channel<{ chat: ChatLine }>("room")`.
   */
  channel<Events extends object = AnyEvents>(name: string): Channel<Events> {
    let channel = this.#channels.get(name);
    if (!channel) {
      this.#channels.set(name, (channel = new Channel(this, (other) => this.channel(other), name, this.#options.publishQueue ?? PUBLISH_QUEUE)));
      if (this.#destroyed) channel.link.destroyed();
      else if (this.#session) channel.link.connected();
    }
    return channel as unknown as Channel<Events>;
  }

  /**
   * Calls a method of the hub. What documents and channels need, {@link CollabProvider} and {@link Channel} do by themselves.
   * @throws CollabError with the server's code, or `disconnected`.
   */
  async call<K extends keyof HubMethods>(method: K, ...args: Parameters<HubMethods[K]>): Promise<ReturnType<HubMethods[K]>> {
    if (!this.#session) throw new CollabError("disconnected", `${method}: there is no connection.`);
    return this.#session.call(method, ...args);
  }

  /** @throws CollabError `already_open`. @internal */
  attach(member: DocumentMember): void {
    if (this.#members.has(member.documentId))
      throw new CollabError("already_open", `Document "${member.documentId}" is already open on this connection: share its provider, or destroy it first.`);
    this.#members.set(member.documentId, member);
    if (this.#session) member.connected();
    else if (this.#status === "connecting") member.connecting();
  }

  /** @internal */
  detach(member: DocumentMember): void {
    if (this.#members.get(member.documentId) === member) this.#members.delete(member.documentId);
  }

  /** @internal */
  leave(documentId: string): void {
    const left = this.call("LeaveDocument", documentId)
      .catch(() => {})
      .then(() => {
        if (this.#leaving.get(documentId) === left) this.#leaving.delete(documentId);
      });
    this.#leaving.set(documentId, left);
  }

  /** Joins a document, after leaving it has been confirmed. @internal */
  async join(documentId: string, stateVector: () => Uint8Array): Promise<JoinedDocument> {
    await this.#leaving.get(documentId);
    return this.call("JoinDocument", documentId, stateVector());
  }

  get #isWanted(): boolean {
    return this.#wanted && !this.#away;
  }

  /** Cuts a wait short; an attempt under way goes on. */
  #retryNow(): void {
    if (this.#status === "disconnected") this.reconnect();
  }

  async #run(): Promise<void> {
    while (this.#isWanted) {
      this.#hurry = new AbortController();
      this.#setStatus("connecting");
      const session = await this.#open(this.#hurry.signal);
      if (session && this.#isWanted) {
        const since = Date.now();
        this.#session = session;
        this.#setStatus("connected");
        const error = await session.ended;
        this.#session = undefined;
        if (error) this.emit("error", new CollabError("disconnected", `The connection was lost: ${error.message}`, { cause: error }));
        if (Date.now() - since >= STABLE_AFTER) this.#backoff.reset();
      }
      this.#setStatus("disconnected");
      await session?.stop();
      if (!this.#isWanted) break;
      // Without a network only a browser's word that it is back, or the longest wait, is worth an attempt.
      const wait = this.#backoff.next();
      await pause(seemsOnline() ? wait : (this.#options.backoff?.maximum ?? 10_000), this.#hurry.signal);
    }
    this.#loop = undefined;
  }

  /** One attempt: the transports in turn. */
  async #open(hurry: AbortSignal): Promise<HubSession | undefined> {
    const choice = this.#choice;
    for (const transport of choice.candidates()) {
      try {
        const session = await HubSession.open(this.#sessionOptions(transport), hurry);
        choice.succeeded(transport);
        if (!hurry.aborted) return session;
        await session.stop();
      } catch (error) {
        if (!hurry.aborted) this.emit("error", error as CollabError);
      }
      if (hurry.aborted) return undefined;
    }
    choice.failed();
    return undefined;
  }

  #sessionOptions(transport: Transport): HubSessionOptions {
    const { withCredentials, logger, connectTimeout, protocol } = this.#options;
    return {
      url: withQuery(this.url, "session", this.#sessionName),
      transport,
      protocol: protocolFor(transport, protocol ?? "messagepack"),
      signIn: this.#signIn,
      withCredentials,
      logger,
      connectTimeout: connectTimeout ?? 10_000,
      onDocumentUpdated: (documentId, update) => this.#members.get(documentId)?.updated(update),
      onAwarenessUpdated: (documentId, awareness) => this.#members.get(documentId)?.awarenessUpdated(awareness),
      onDocumentClosed: (documentId, reason) => this.#members.get(documentId)?.closed(reason),
      onChannelNews: (name, news) => this.#channels.get(name)?.link.arrived(news),
      onChannelClosed: (name, reason) => this.#channels.get(name)?.link.closed(reason),
      onRenewed: () => this.#members.forEach((member) => member.renewed()),
      onRenewalRefused: (error) => this.emit("error", error),
    };
  }

  #setStatus(status: CollabStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    this.emit("status", { status });
    for (const member of [...this.#members.values()]) member[status]();
    if (status === "connecting") return;
    for (const { link } of [...this.#channels.values()]) link[status]();
  }
}
