import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { inject, onTestFinished } from "vitest";
import * as Y from "yjs";
import { CollabConnection, CollabProvider } from "../src/index.js";
import type { Channel, ChannelMessage, ChannelSubscribeOptions, ChannelSubscription, CollabConnectionOptions, Transport } from "../src/index.js";
import { CollabHost, tokenOf } from "../../../testing/CollabHost.js";
import { FaultyNetwork } from "../../../testing/FaultyNetwork.js";

export const TRANSPORTS: readonly Transport[] = ["webSockets", "serverSentEvents", "longPolling"];

/** The hub of the shared server. */
export function hubUrl(): string {
  return `http://127.0.0.1:${inject("hostPort")}/hubs/collab`;
}

/** A way to the shared server that can be cut. */
export async function faultyNetwork(port = inject("hostPort")): Promise<FaultyNetwork> {
  const network = await FaultyNetwork.to(port);
  onTestFinished(() => network.dispose());
  return network;
}

/** A document id of one test's own. */
export function newDocument(): string {
  return `tests/${randomUUID()}`;
}

/** A connection that ends with the test. */
export function connect(options: Partial<CollabConnectionOptions> = {}): CollabConnection {
  const connection = new CollabConnection({ url: hubUrl(), backoff: { maximum: 500 }, ...options });
  onTestFinished(() => connection.destroy());
  return connection;
}

/** The settings of a connection of this user. */
export function as(user: string, access?: readonly string[]): Partial<CollabConnectionOptions> {
  return { accessTokenFactory: () => tokenOf(user, access) };
}

/** A server of one test's own. */
export async function ownHost(settings: Record<string, string> = {}): Promise<CollabHost> {
  const host = await CollabHost.start({ settings });
  onTestFinished(() => host.dispose());
  return host;
}

/** A channel of one test's own. */
export function newChannel(): string {
  return `tests:${randomUUID()}`;
}

/** What one follower of a channel has been told. */
export interface Follower {
  readonly subscription: ChannelSubscription;
  readonly messages: ChannelMessage[];
  readonly gaps: string[];
  /** The data of the messages. */
  readonly data: unknown[];
}

/** Subscribes and notes what comes. */
export function follow(channel: Channel, options: ChannelSubscribeOptions = {}): Follower {
  const messages: ChannelMessage[] = [];
  const gaps: string[] = [];
  const subscription = channel.subscribe((message) => messages.push(message), { onGap: ({ position }) => gaps.push(position), ...options });
  return {
    subscription,
    messages,
    gaps,
    get data() {
      return messages.map(({ data }) => data);
    },
  };
}

/** Subscribes and waits until it stands. */
export async function followed(channel: Channel, options: ChannelSubscribeOptions = {}): Promise<Follower> {
  const follower = follow(channel, options);
  await follower.subscription.ready;
  return follower;
}

/** Publishes a message of the event `n` for each number. @returns their positions. */
export async function count(channel: Channel, from: number, to: number): Promise<string[]> {
  return Promise.all(range(from, to).map((n) => channel.publish("n", n)));
}

/** Publishes a message of the event `n` for each value over HTTP, many at once. @returns their positions. */
export async function post(name: string, data: readonly unknown[], url = `http://127.0.0.1:${inject("hostPort")}`, atOnce = 1_000): Promise<string[]> {
  const positions: string[] = [];
  for (let from = 0; from < data.length; from += atOnce) {
    const body = JSON.stringify(data.slice(from, from + atOnce).map((value) => ({ event: "n", data: value })));
    const response = await fetch(`${url}/channels/${encodeURIComponent(name)}/messages`, { method: "POST", headers: { "Content-Type": "application/json" }, body });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    positions.push(...((await response.json()) as { positions: string[] }).positions);
  }
  return positions;
}

/** The numbers from the first to the last. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** A provider of a fresh document that ends with the test. */
export function open(connection: CollabConnection, documentId: string, doc = new Y.Doc()): CollabProvider {
  const provider = new CollabProvider(connection, documentId, doc);
  onTestFinished(() => provider.destroy());
  return provider;
}

/** A provider that has been brought up to date. */
export async function opened(connection: CollabConnection, documentId: string): Promise<CollabProvider> {
  const provider = open(connection, documentId);
  await until(() => provider.synced);
  return provider;
}

/** Waits until a condition holds; the test fails when it does not within its time. */
export async function until(condition: () => boolean, timeout = 20_000): Promise<void> {
  const deadline = Date.now() + timeout;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`Never became true: ${condition}`);
    await wait(5);
  }
}

export function text(provider: CollabProvider): Y.Text {
  return provider.doc.getText("text");
}

export function append(provider: CollabProvider, words: string): void {
  text(provider).insert(text(provider).length, words);
}
