import { Backoff, pause } from "./Backoff.js";
import type { ChannelCaller, ChannelMember, MembersChange, SubscribedChannel } from "./ChannelContract.js";
import { readHistory } from "./ChannelCatchUp.js";
import type { ChannelReader } from "./ChannelReader.js";
import { asCollabError, ChannelSession } from "./ChannelSession.js";
import type { ChannelNews } from "./ChannelSession.js";
import { CollabError } from "./CollabError.js";
import { positionBefore, reaches } from "./positions.js";

/**
 * The one server subscription that all readers of a channel share. It begins with the first reader, ends with the last, and after a
 * reconnect goes on from the last position. Readers that come later and want something of the history read that by themselves.
 */
export class ChannelFeed {
  readonly #name: string;
  readonly #caller: ChannelCaller;
  readonly #readers = new Set<ChannelReader>();
  #session: ChannelSession | undefined;
  /** The position of the last message that has arrived; undefined while nothing was subscribed to. */
  #cursor: string | undefined;
  #members = new Map<string, ChannelMember>();
  /** Who is reading the history, and over which connection. */
  readonly #catchingUp = new Map<ChannelReader, ChannelSession>();

  constructor(caller: ChannelCaller, name: string) {
    this.#caller = caller;
    this.#name = name;
  }

  add(reader: ChannelReader): void {
    this.#readers.add(reader);
    // Not at once: its handlers must not be called before it is in its owner's hands.
    queueMicrotask(() => this.#session && void this.#steer(this.#session));
  }

  /** @param error what `ready` rejects with if the reader had not begun. */
  remove(reader: ChannelReader, error: CollabError, isRefused = false): void {
    if (!this.#readers.delete(reader)) return;
    reader.end(error, isRefused);
    if (this.#session && !isRefused) void this.#steer(this.#session);
  }

  removeAll(error: CollabError): void {
    for (const reader of [...this.#readers]) this.remove(reader, error);
  }

  connected(): void {
    this.#session = new ChannelSession(this.#caller);
    void this.#steer(this.#session);
  }

  disconnected(): void {
    this.#session?.end();
    this.#session = undefined;
  }

  /** Something has come from the server. */
  arrived(news: ChannelNews): void {
    const session = this.#session;
    if (!session) return;
    if (session.held) session.held.push(news);
    else if (session.isSubscribed) this.#handOut(news);
  }

  /** The server has ended the subscription for good. */
  closed(reason: string): void {
    if (!this.#session) return;
    this.#session.isSubscribed = false;
    this.#session.presence = undefined;
    for (const reader of [...this.#readers]) this.remove(reader, new CollabError(reason, `The server has closed the channel "${this.#name}".`), true);
  }

  /** Who is present, as far as a subscription with presence knows. */
  get #everybody(): ChannelMember[] {
    return [...this.#members.values()];
  }

  /** The reader whose `presence` counts. */
  get #shown(): ChannelReader | undefined {
    return [...this.#readers].reverse().find(({ options: { presence } }) => presence !== undefined && presence !== null && presence !== false);
  }

  /** Brings what the server knows in line with what the readers want: one call after the other, as calls may overtake each other. */
  async #steer(session: ChannelSession): Promise<void> {
    if (session.isBusy) return;
    session.isBusy = true;
    const backoff = new Backoff(100, 10_000);
    while (!session.signal.aborted) {
      const wanted = this.#readers.size > 0;
      const shown = this.#shown;
      const presence = shown && JSON.stringify(shown.options.presence);
      try {
        if (session.isSubscribed && (!wanted || (session.presence !== undefined && presence === undefined))) await this.#unsubscribe(session);
        else if (wanted && (!session.isSubscribed || presence !== session.presence)) await this.#subscribe(session, presence);
        else break;
        backoff.reset();
      } catch (thrown) {
        const error = asCollabError(thrown);
        this.#release(session);
        // The connection ends, and the next one begins again.
        if (error.code === "disconnected" || error.code === "not_joined" || session.signal.aborted) break;
        if (error.isTransient) await pause(backoff.next(), session.signal);
        else this.#refused(error, session, shown);
      }
    }
    session.isBusy = false;
    if (!session.signal.aborted && session.isSubscribed) this.#bringUp(session);
  }

  async #subscribe(session: ChannelSession, presence: string | undefined): Promise<void> {
    const first = this.#first;
    // Who has begun goes on; else nothing is left of former readers.
    if (![...this.#readers].some((reader) => reader.hasBegun || reader.isBehind)) this.#cursor = undefined;
    const { after = this.#cursor, rewind } = this.#cursor === undefined ? (first?.options ?? {}) : {};
    const readers = [...this.#readers];
    session.held = [];
    const answer = await session.call("Subscribe", this.#name, {
      ...(after !== undefined && { after }),
      ...(rewind !== undefined && { rewind }),
      ...(presence !== undefined && { presence: JSON.parse(presence) as unknown }),
    });
    if (session.signal.aborted) return;
    session.isSubscribed = true;
    session.presence = presence;
    this.#begin(answer, readers, first);
    if (presence === undefined) this.#members.clear();
    else this.#meet(answer.members);
    this.#release(session);
  }

  /** What has arrived while an answer was awaited follows it. */
  #release(session: ChannelSession): void {
    const { held } = session;
    session.held = undefined;
    if (session.isSubscribed) for (const news of held ?? []) this.#handOut(news);
  }

  async #unsubscribe(session: ChannelSession): Promise<void> {
    session.isSubscribed = false;
    session.presence = undefined;
    await session.call("Unsubscribe", this.#name);
  }

  /** The reader that a subscription begins with: it says where. */
  get #first(): ChannelReader | undefined {
    return [...this.#readers].find((reader) => !reader.hasBegun && !reader.isBehind);
  }

  #begin({ position, recovered, messages }: SubscribedChannel, asked: readonly ChannelReader[], first: ChannelReader | undefined): void {
    const isFirst = this.#cursor === undefined;
    const from = messages[0] ? positionBefore(messages[0]) : position;
    this.#cursor = from;
    for (const reader of asked) {
      if (!this.#readers.has(reader)) continue;
      // The others have not been asked for: they begin like those that come later.
      if (reader.hasBegun || (isFirst && reader === first)) reader.follows(from, position, recovered);
    }
    for (const message of messages) this.#handOut({ message });
    this.#cursor = position;
    for (const reader of asked) if (reader.hasBegun || reader.isBehind) reader.advance(position);
    for (const reader of asked) if (reader.hasBegun) reader.begun();
  }

  #handOut(news: ChannelNews): void {
    if ("change" in news) return this.#change(news.change);
    const position = "message" in news ? news.message.position : news.position;
    if (this.#cursor === undefined || !reaches(this.#cursor, position)) this.#cursor = position;
    for (const reader of [...this.#readers]) {
      // One that has not begun will be told where it begins.
      if (!reader.hasBegun && !reader.isBehind) continue;
      if ("message" in news) reader.take(news.message);
      else reader.advance(position);
    }
  }

  /** Readers that came while the subscription stood: they begin here, or read the history first. */
  #bringUp(session: ChannelSession): void {
    for (const reader of [...this.#readers]) {
      const { after, rewind } = reader.options;
      if (!reader.hasBegun && !reader.isBehind) {
        if (session.presence !== undefined) reader.changed(this.#everybody, { joined: this.#everybody, left: [] });
        if (after === undefined && !rewind) {
          reader.follows(this.#cursor!, this.#cursor!, true);
          reader.begun();
          continue;
        }
        reader.hold();
      }
      if (reader.isBehind) void this.#catchUp(session, reader);
    }
  }

  async #catchUp(session: ChannelSession, reader: ChannelReader): Promise<void> {
    if (this.#catchingUp.get(reader) === session) return;
    this.#catchingUp.set(reader, session);
    const backoff = new Backoff(100, 10_000);
    while (!session.signal.aborted && this.#readers.has(reader)) {
      try {
        await readHistory(session, this.#name, reader);
        reader.release();
        break;
      } catch (thrown) {
        const error = asCollabError(thrown);
        // What it holds stays; it goes on from its position with the next connection.
        if (error.code === "disconnected" || session.signal.aborted) break;
        if (error.isTransient) await pause(backoff.next(), session.signal);
        else this.remove(reader, error, true);
      }
    }
    if (this.#catchingUp.get(reader) === session) this.#catchingUp.delete(reader);
  }

  /** A refusal ends the reader that it is about: one that was to begin, or whose presence was to be shown; else all. */
  #refused(error: CollabError, session: ChannelSession, shown: ChannelReader | undefined): void {
    const isAboutAll = error.code === "forbidden" || error.code === "invalid_name";
    const isAboutPresence = session.isSubscribed || error.code === "too_large" || error.message.startsWith("presence:");
    const about = isAboutPresence ? shown : isAboutAll || this.#cursor !== undefined ? undefined : this.#first;
    for (const reader of about ? [about] : [...this.#readers]) this.remove(reader, error, true);
  }

  /** The server has said who is present. */
  #meet(members: readonly ChannelMember[]): void {
    const before = this.#members;
    this.#members = new Map(members.map((member) => [keyOf(member), member]));
    this.#tellMembers({
      joined: members.filter((member) => !isSame(before.get(keyOf(member)), member)),
      left: [...before].filter(([key]) => !this.#members.has(key)).map(([, member]) => member),
    });
  }

  #change(change: MembersChange): void {
    for (const member of change.left) this.#members.delete(keyOf(member));
    for (const member of change.joined) this.#members.set(keyOf(member), member);
    this.#tellMembers(change);
  }

  #tellMembers(change: MembersChange): void {
    if (change.joined.length + change.left.length === 0) return;
    for (const reader of [...this.#readers]) if (reader.hasBegun || reader.isBehind) reader.changed(this.#everybody, change);
  }
}

/** A user is one member, however many connections he has; without an id each connection is one. */
function keyOf({ userId, connectionId }: ChannelMember): string {
  return userId === null ? `connection ${connectionId}` : `user ${userId}`;
}

function isSame(known: ChannelMember | undefined, member: ChannelMember): boolean {
  return known !== undefined && JSON.stringify(known.data) === JSON.stringify(member.data);
}
