import { Awareness, encodeAwarenessUpdate, removeAwarenessStates } from "y-protocols/awareness";
import * as Y from "yjs";
import { AwarenessRelay } from "./AwarenessRelay.js";
import { Backoff, pause } from "./Backoff.js";
import { CollabConnection } from "./CollabConnection.js";
import type { CollabConnectionOptions, CollabStatus, DocumentMember } from "./CollabConnection.js";
import { CollabError } from "./CollabError.js";
import type { DocumentAccess, JoinedDocument } from "./HubContract.js";
import { missingUpdate } from "./missingUpdate.js";
import { PushQueue } from "./PushQueue.js";
import { Steps } from "./Steps.js";
import type { Step } from "./Steps.js";
import { TypedEvents } from "./TypedEvents.js";

/** Settings of a {@link CollabProvider}. */
export interface CollabProviderOptions {
  /** The awareness to use; by default a new one of the document. */
  awareness?: Awareness;
  /** Whether to join at once. Default true. */
  connect?: boolean;
}

/** The events of a {@link CollabProvider}. */
export interface CollabProviderEvents {
  /** The document's connection state changed. */
  status: (event: { status: CollabStatus }) => void;
  /** What the user may do is now known, or has changed: a renewed token may allow more or less. */
  access: (access: DocumentAccess) => void;
  /** The document is (true) or is no longer (false) in step with the server's. */
  synced: (synced: boolean) => void;
  /** The same as `synced`, under the name that some bindings listen to. */
  sync: (synced: boolean) => void;
  /** An update of ours is durable on the server, at `position` of the document's log. */
  acknowledged: (event: { update: Uint8Array; position: string }) => void;
  /** How many local changes are not known to be durable. */
  unacknowledged: (count: number) => void;
  /** The server ended the membership for good: `"forbidden"` or `"deleted"`. {@link CollabProvider.connect} tries again. */
  closed: (event: { reason: string }) => void;
  /**
   * A rule of the server refuses what was changed here, and it was taken back: nobody else has seen it. `code` is the rule's own.
   */
  rejected: (event: { code: string; reason: string }) => void;
  /** Something was refused or failed. Transient failures are tried again. */
  error: (error: CollabError) => void;
}

/** Of how many refusals in a row what was refused is taken back. */
const MAX_REFUSALS = 2;

/** One time of being in the document, from the connection's start to its end or to leaving. */
interface Membership {
  readonly ending: AbortController;
  readonly relay: AwarenessRelay;
  /** Takes the local updates, from the answer to the join on. */
  queue?: PushQueue;
}

/**
 * Keeps a Yjs document, and its awareness, in step with the document of the same id on a Collab server. Any Yjs editor binding takes it.
 *
 * Local changes are sent as they happen, merged while a push is on its way. A change is counted as unacknowledged until the server
 * has said that it is durable. After a lost connection both sides exchange what the other lacks, so nothing depends on what was on its way.
 */
export class CollabProvider extends TypedEvents<CollabProviderEvents> {
  readonly connection: CollabConnection;
  readonly documentId: string;
  readonly doc: Y.Doc;
  readonly awareness: Awareness;

  readonly #ownsConnection: boolean;
  readonly #ownsAwareness: boolean;
  readonly #member: DocumentMember;
  /** What is not acknowledged, so that it can be taken back if a rule refuses it. */
  readonly #steps: Steps;
  #wanted = false;
  #destroyed = false;
  #membership: Membership | undefined;
  #status: CollabStatus = "disconnected";
  #synced = false;
  #access: DocumentAccess | undefined;
  #unacknowledged = 0;
  /** The changes that are not acknowledged, in their order; undefined for what cannot be taken back. */
  #unsafe: (Step | undefined)[] = [];
  /** How many times in a row a push was refused by a rule. */
  #refusals = 0;

  /**
   * @param connection the connection to share, or the settings or the address of one that this provider then owns.
   * @param documentId 1 to 200 characters of `A-Z a-z 0-9 . _ ~ : @ - /`, with no empty segment between slashes.
   * @throws CollabError `already_open` when another provider has this document open on the same connection.
   */
  constructor(
    connection: CollabConnection | CollabConnectionOptions | string,
    documentId: string,
    doc: Y.Doc,
    options: CollabProviderOptions = {},
  ) {
    super();
    this.#ownsConnection = !(connection instanceof CollabConnection);
    this.connection =
      connection instanceof CollabConnection
        ? connection
        : new CollabConnection({ ...(typeof connection === "string" ? { url: connection } : connection), connect: false });
    this.documentId = documentId;
    this.doc = doc;
    this.#ownsAwareness = !options.awareness;
    this.awareness = options.awareness ?? new Awareness(doc);
    this.#member = {
      documentId,
      connecting: () => this.#setStatus("connecting"),
      connected: () => void this.#join(),
      disconnected: () => {
        this.#end();
        this.#setStatus("disconnected");
      },
      resumed: () => void this.resync(),
      leaving: () => this.#sayGoodbye(),
      renewed: () => void this.#askAccess(),
      updated: (update) => Y.applyUpdate(this.doc, update, this),
      awarenessUpdated: (update) => this.#membership?.relay.apply(update),
      closed: (reason) => this.#onClosed(reason),
    };
    this.#steps = new Steps(doc, this);
    doc.on("update", this.#onUpdate);
    doc.on("destroy", this.#onDocDestroy);
    try {
      if (options.connect ?? true) this.connect();
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  /** `"connected"` once the document is joined. */
  get status(): CollabStatus {
    return this.#status;
  }

  /** Whether the document has been brought up to date since the connection was made. */
  get synced(): boolean {
    return this.#synced;
  }

  /** What the server lets us do; undefined before the first join. */
  get access(): DocumentAccess | undefined {
    return this.#access;
  }

  /** How many local changes are not known to be durable. */
  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  /** Whether the server may lack something that was changed here. */
  get hasUnsyncedChanges(): boolean {
    return this.#unacknowledged > 0;
  }

  /** Joins the document, and joins again after each reconnect, until {@link disconnect} or {@link destroy}. */
  connect(): void {
    if (this.#destroyed) throw new Error("The provider was destroyed.");
    if (this.#wanted) return;
    // Throws when the document is open already, and tells us where the connection stands.
    this.connection.attach(this.#member);
    this.#wanted = true;
    if (this.#ownsConnection) this.connection.connect();
  }

  /** Leaves the document; changes made from now on are kept in `doc` and sent after {@link connect}. */
  disconnect(): void {
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#sayGoodbye();
    if (this.#membership) this.connection.leave(this.documentId);
    this.connection.detach(this.#member);
    this.#end();
    this.#setStatus("disconnected");
    if (this.#ownsConnection) void this.connection.disconnect();
  }

  /** Leaves for good and takes the own awareness state away. The document itself stays usable. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.doc.off("update", this.#onUpdate);
    this.#steps.destroy();
    this.doc.off("destroy", this.#onDocDestroy);
    this.disconnect();
    removeAwarenessStates(this.awareness, [this.awareness.clientID], "destroy");
    if (this.#ownsAwareness) this.awareness.destroy();
    if (this.#ownsConnection) void this.connection.destroy();
    this.removeAllListeners();
  }

  /** Exchanges with the server what either side lacks. Not needed in normal operation. */
  async resync(): Promise<void> {
    const membership = this.#membership;
    if (!membership?.queue) return;
    try {
      const { update, stateVector } = await this.connection.call("SyncDocument", this.documentId, Y.encodeStateVector(this.doc));
      if (membership.ending.signal.aborted) return;
      Y.applyUpdate(this.doc, update, this);
      // What is queued or on its way would be found missing, too.
      if (membership.queue.isIdle) this.#pushMissing(membership, update, stateVector);
    } catch (error) {
      if (!membership.ending.signal.aborted) this.#fail(error as CollabError);
    }
  }

  async #join(): Promise<void> {
    const ending = new AbortController();
    const { signal } = ending;
    const relay = new AwarenessRelay(
      this.awareness,
      (state) => this.connection.call("PushAwareness", this.documentId, state),
      signal,
    );
    const membership: Membership = (this.#membership = { ending, relay });
    const backoff = new Backoff(100, 10_000);
    this.#setStatus("connecting");
    while (!signal.aborted) {
      try {
        const answer = await this.connection.join(this.documentId, () => Y.encodeStateVector(this.doc));
        if (!signal.aborted) this.#onJoined(membership, answer);
        return;
      } catch (thrown) {
        const error = thrown instanceof CollabError ? thrown : new CollabError("internal", String(thrown), { cause: thrown });
        if (signal.aborted || error.code === "disconnected") return;
        this.emit("error", error);
        if (!error.isTransient) return this.#onClosed(error.code);
        await pause(backoff.next(), signal);
      }
    }
  }

  #onJoined(membership: Membership, { update, stateVector, access, awareness }: JoinedDocument): void {
    const { signal } = membership.ending;
    this.#setAccess(access);
    Y.applyUpdate(this.doc, update, this);
    membership.queue = new PushQueue(
      {
        push: (next) => this.connection.call("PushUpdate", this.documentId, next),
        acknowledged: (sent, position, count) => {
          this.emit("acknowledged", { update: sent, position });
          this.#acknowledged(count);
        },
        rejected: (count, error) => this.#takeBack(count, error),
        failed: (error) => this.#fail(error),
      },
      signal,
    );
    this.#pushMissing(membership, update, stateVector);
    membership.relay.apply(awareness);
    membership.relay.announce();
    this.#setStatus("connected");
    this.#setSynced(true);
  }

  /** Joins again in place: the answer says what we may do by now. */
  async #askAccess(): Promise<void> {
    const membership = this.#membership;
    if (!membership?.queue) return;
    try {
      const { access, update, stateVector } = await this.connection.join(this.documentId, () => Y.encodeStateVector(this.doc));
      if (membership.ending.signal.aborted) return;
      this.#setAccess(access);
      Y.applyUpdate(this.doc, update, this);
      if (membership.queue.isIdle) this.#pushMissing(membership, update, stateVector);
    } catch (error) {
      // What is forbidden now, the server says by itself.
      if (!membership.ending.signal.aborted && (error as CollabError).code !== "forbidden") this.#fail(error as CollabError);
    }
  }

  /** Sends what the server lacks: with it everything not yet acknowledged is on its way. */
  #pushMissing({ queue }: Membership, serverUpdate: Uint8Array, serverStateVector: Uint8Array): void {
    const missing = missingUpdate(this.doc, serverUpdate, serverStateVector);
    if (!missing) return this.#acknowledged(Math.max(this.#unacknowledged, this.#unsafe.length));
    if (this.#unacknowledged === 0) this.#setUnacknowledged(1);
    if (this.#access === "write") queue?.add(missing, this.#unacknowledged);
  }

  readonly #onUpdate = (update: Uint8Array, origin: unknown, _doc: Y.Doc, transaction: Y.Transaction): void => {
    if (origin === this) return;
    this.#unsafe.push(this.#steps.of(transaction));
    this.#setUnacknowledged(this.#unacknowledged + 1);
    // Before the join is answered nothing needs queueing: what the server lacks is sent then.
    if (this.#access === "write") this.#membership?.queue?.add(update, 1);
  };

  #acknowledged(count: number): void {
    this.#refusals = 0;
    this.#steps.forget(new Set(this.#unsafe.splice(0, count)));
    this.#setUnacknowledged(Math.max(0, this.#unacknowledged - count));
  }

  /** A rule refuses so many changes: they are undone, at the second time all that is not acknowledged. */
  #takeBack(count: number, error: CollabError): boolean {
    const refused = this.#refusals++ === 0 ? this.#unsafe.slice(0, count) : this.#unsafe;
    const steps = refused.filter((step): step is Step => step !== undefined);
    if (this.#refusals > MAX_REFUSALS || steps.length === 0) return false;
    const before = this.#unsafe.length;
    this.#steps.takeBack(steps);
    const [, code = error.code, reason = error.message] = /^([a-z0-9_]+): ([\s\S]*)$/.exec(error.message) ?? [];
    if (this.#refusals === 1) this.emit("rejected", { code, reason });
    return this.#unsafe.length > before;
  }

  readonly #onDocDestroy = (): void => this.destroy();

  #fail(error: CollabError): void {
    if (error.code === "disconnected") return;
    if (error.code === "forbidden") this.#setAccess("read");
    this.emit("error", error);
    if (error.code === "not_joined") this.#rejoin();
  }

  #onClosed(reason: string): void {
    this.#end();
    if (reason === "unavailable") return this.#rejoin();
    this.#wanted = false;
    this.connection.detach(this.#member);
    this.#setStatus("disconnected");
    this.emit("closed", { reason });
  }

  #rejoin(): void {
    this.#end();
    void this.#join();
  }

  /** Ends the membership on this side. */
  #end(): void {
    this.#membership?.ending.abort();
    this.#membership = undefined;
    this.#setSynced(false);
  }

  /** Tells the others that we leave; they would otherwise notice by the connection's end. */
  #sayGoodbye(): void {
    if (!this.#membership?.queue || this.awareness.getLocalState() === null) return;
    const { clientID, meta } = this.awareness;
    const own = meta.get(clientID);
    if (own) own.clock++;
    const goodbye = encodeAwarenessUpdate(this.awareness, [clientID], new Map());
    this.connection.call("PushAwareness", this.documentId, goodbye).catch(() => {});
  }

  #setAccess(access: DocumentAccess): void {
    if (this.#access === access) return;
    this.#access = access;
    this.emit("access", access);
  }

  #setStatus(status: CollabStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    this.emit("status", { status });
  }

  #setSynced(synced: boolean): void {
    if (synced === this.#synced) return;
    this.#synced = synced;
    this.emit("synced", synced);
    this.emit("sync", synced);
  }

  #setUnacknowledged(count: number): void {
    if (count === this.#unacknowledged) return;
    this.#unacknowledged = count;
    this.emit("unacknowledged", count);
  }
}
