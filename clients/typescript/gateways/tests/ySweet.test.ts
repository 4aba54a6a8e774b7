import { YSweetProvider } from "@y-sweet/client";
import { expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import * as Y from "yjs";
import { tokenOf } from "../../testing/CollabHost.js";
import type { CollabHost } from "../../testing/CollabHost.js";
import { PATIENCE, Y_WEBSOCKETS, eventually, newDocument, openCollab, openYWebSocket, ownHost, textOf } from "./clients.js";

/** The server must take a token in the address, which is where y-sweet's client puts it. */
const IN_ADDRESS = { "Collab:Security:AcceptAccessTokenInQuery": "true" };

/** A client of y-sweet that ends with the test; its backend answers with the address of Collab. */
function openYSweet(host: CollabHost, docId: string): { readonly provider: YSweetProvider; readonly doc: Y.Doc } {
  const [doc, token] = [new Y.Doc(), tokenOf("y-sweet")];
  const url = `ws://127.0.0.1:${host.port}/yjs`;
  const provider = new YSweetProvider(async () => ({ url, baseUrl: `http://127.0.0.1:${host.port}`, docId, token }), docId, doc, {
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    showDebuggerLink: false,
  });
  // Destroyed only, it would connect again.
  onTestFinished(() => {
    provider.disconnect();
    provider.destroy();
  });
  return { provider, doc };
}

test("edits the document that other clients edit, and knows when nothing of it waits", async () => {
  const host = await ownHost(IN_ADDRESS);
  const documentId = newDocument();
  const { provider: theirs, doc } = openYSweet(host, documentId);
  const others = [openCollab(documentId, host.port), openYWebSocket(Y_WEBSOCKETS[2][1], documentId, { port: host.port })];
  await vi.waitFor(() => expect(theirs.status).toBe("connected"), PATIENCE);

  doc.getText("text").insert(0, "y-sweet");
  expect(theirs.hasLocalChanges).toBe(true);
  for (const other of others) await eventually(() => textOf(other).toString(), "y-sweet");
  await vi.waitFor(() => expect(theirs.hasLocalChanges).toBe(false), PATIENCE);
  textOf(others[0]!).insert(7, " and all");

  await eventually(() => doc.getText("text").toString(), "y-sweet and all");
});

test("has on disk, through kill -9, what no longer waits", async () => {
  const host = await ownHost(IN_ADDRESS);
  const documentId = newDocument();
  const { provider, doc } = openYSweet(host, documentId);
  await vi.waitFor(() => expect(provider.status).toBe("connected"), PATIENCE);
  doc.getText("text").insert(0, "kept");
  await vi.waitFor(() => expect(provider.hasLocalChanges).toBe(false), PATIENCE);

  await host.kill();
  await host.start();

  const reader = openCollab(documentId, host.port);
  await eventually(() => textOf(reader).toString(), "kept");
  // It comes back by itself.
  await vi.waitFor(() => expect(provider.status).toBe("connected"), PATIENCE);
});

test("is present, and sees who is", async () => {
  const host = await ownHost(IN_ADDRESS);
  const documentId = newDocument();
  const [theirs, other] = [openYSweet(host, documentId).provider, openYWebSocket(Y_WEBSOCKETS[2][1], documentId, { port: host.port })];

  theirs.awareness.setLocalState({ name: "sweet" });
  other.awareness.setLocalState({ name: "socket" });

  const namesIn = (states: Map<number, unknown>) => [...states.values()].map((state) => (state as { name?: string }).name).sort();
  for (const awareness of [theirs.awareness, other.awareness]) {
    await vi.waitFor(() => expect(namesIn(awareness.getStates())).toEqual(["socket", "sweet"]), PATIENCE);
  }
});
