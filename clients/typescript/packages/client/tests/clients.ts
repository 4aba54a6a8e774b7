import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { inject, onTestFinished } from "vitest";
import * as Y from "yjs";
import { CollabConnection, CollabProvider } from "../src/index.js";
import type { CollabConnectionOptions, Transport } from "../src/index.js";
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
