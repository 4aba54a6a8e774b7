import { describe, expect, inject, test, vi } from "vitest";
import { WebSocket } from "ws";
import * as Y from "yjs";
import { tokenOf } from "../../testing/CollabHost.js";
import { PATIENCE, Y_WEBSOCKETS, eventually, newDocument, openCollab, openYWebSocket, ownHost, textOf } from "./clients.js";
import type { YWebSocket } from "./clients.js";

async function synced(...providers: readonly YWebSocket[]): Promise<void> {
  await vi.waitFor(() => expect(providers.map((provider) => provider.synced)).toEqual(providers.map(() => true)), PATIENCE);
}

describe.each(Y_WEBSOCKETS)("%s", (_, Client) => {
  test("tells that it is connected and synced", async () => {
    const provider = openYWebSocket(Client, newDocument());
    const told: unknown[] = [];
    provider.on("status", (event: { status: string }) => told.push(event.status));
    provider.on("sync", (isSynced: boolean) => told.push(isSynced));

    await synced(provider);

    expect(told.filter((event) => event !== "connecting")).toEqual(["connected", true]);
  });

  test("edits the document that SignalR's clients edit", async () => {
    const documentId = newDocument();
    const [theirs, ours] = [openYWebSocket(Client, documentId), openCollab(documentId)];
    await synced(theirs);

    textOf(theirs).insert(0, "theirs");
    await eventually(() => textOf(ours).toString(), "theirs");
    textOf(ours).insert(6, " and ours");

    await eventually(() => textOf(theirs).toString(), "theirs and ours");
  });

  test("gets what was there before, and brings what it has", async () => {
    const documentId = newDocument();
    const ours = openCollab(documentId);
    textOf(ours).insert(0, "before");
    const theirs = openYWebSocket(Client, documentId);
    theirs.doc.getText("other").insert(0, "typed before it was connected");

    await eventually(() => textOf(theirs).toString(), "before");
    await eventually(() => ours.doc.getText("other").toString(), "typed before it was connected");
  });

  test("sees who is present, and is seen until it leaves", async () => {
    const documentId = newDocument();
    const [theirs, ours] = [openYWebSocket(Client, documentId), openCollab(documentId)];
    ours.awareness.setLocalState({ name: "ours" });
    theirs.awareness.setLocalState({ name: "theirs" });

    await vi.waitFor(() => expect(ours.awareness.getStates().get(theirs.doc.clientID)).toEqual({ name: "theirs" }), PATIENCE);
    await vi.waitFor(() => expect(theirs.awareness.getStates().get(ours.doc.clientID)).toEqual({ name: "ours" }), PATIENCE);
    const late = openYWebSocket(Client, documentId);
    await vi.waitFor(() => expect([...late.awareness.getStates().values()]).toContainEqual({ name: "ours" }), PATIENCE);
    theirs.destroy();

    await vi.waitFor(() => expect(ours.awareness.getStates().has(theirs.doc.clientID)).toBe(false), PATIENCE);
  });

  test("keeps what it is told is there through kill -9", async () => {
    const host = await ownHost();
    const [writer, reader] = [openYWebSocket(Client, "d", { port: host.port }), openYWebSocket(Client, "d", { port: host.port })];
    await synced(writer, reader);
    for (let i = 0; i < 50; i++) textOf(writer).insert(i, "x");
    await eventually(() => textOf(reader).toString(), "x".repeat(50));
    writer.destroy();
    reader.destroy();

    await host.kill();
    await host.start();

    const later = openYWebSocket(Client, "d", { port: host.port });
    await eventually(() => textOf(later).toString(), "x".repeat(50));
  });

  test("comes back after the server was restarted, with what was typed meanwhile", async () => {
    const host = await ownHost();
    const [a, b] = [openYWebSocket(Client, "d", { port: host.port }), openYWebSocket(Client, "d", { port: host.port })];
    await synced(a, b);

    await host.kill("SIGTERM");
    await vi.waitFor(() => expect(a.wsconnected || b.wsconnected).toBe(false), PATIENCE);
    textOf(a).insert(0, "a");
    textOf(b).insert(0, "b");
    await host.start();

    await vi.waitFor(() => expect(textOf(a).toString()).toHaveLength(2), PATIENCE);
    await eventually(() => textOf(b).toString(), textOf(a).toString());
  });

  test("may ask again and again what it lacks", async () => {
    const documentId = newDocument();
    const provider = openYWebSocket(Client, documentId, { resyncInterval: 50 });
    const ours = openCollab(documentId);
    for (let i = 0; i < 20; i++) {
      textOf(ours).insert(i, "x");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }

    await eventually(() => textOf(provider).toString(), "x".repeat(20));
  });

  test("may read with the right to, and what it writes nobody gets", async () => {
    const documentId = newDocument();
    const ours = openCollab(documentId);
    textOf(ours).insert(0, "text");
    const reader = openYWebSocket(Client, documentId, { token: tokenOf("reader", ["read"]) });
    await eventually(() => textOf(reader).toString(), "text");

    textOf(reader).insert(0, "no ");
    textOf(ours).insert(4, " and more");

    await vi.waitFor(() => expect(textOf(reader).toString()).toContain(" and more"), PATIENCE);
    expect(textOf(ours).toString()).toBe("text and more");
    expect(reader.wsconnected).toBe(true);
  });

  test("is let in by a ticket in its address", async () => {
    const documentId = newDocument();
    const answer = await fetch(`http://127.0.0.1:${inject("hostPort")}/tickets`, {
      method: "POST",
      headers: { authorization: `Bearer ${tokenOf("buyer")}`, "content-type": "application/json" },
      body: JSON.stringify({ path: `/yjs/${documentId}` }),
    });
    const { ticket } = (await answer.json()) as { ticket: string };

    await synced(openYWebSocket(Client, documentId, { params: { ticket } }));
  });

  test.each([
    ["without a right", tokenOf("stranger", []), 4403],
    ["with a token that is none", "none", 4401],
  ])("is told with a code that it may not come in %s", async (_why, token, code) => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const provider = openYWebSocket(Client, newDocument(), { token });
    const closed = new Promise<{ code: number }>((resolve) => provider.on("connection-close", (event: unknown) => resolve(event as { code: number })));

    expect((await closed).code).toBe(code);
    expect(warned.mock.calls.flat().join(" ")).toContain("Permission denied");
    warned.mockRestore();
  });
});

test("all versions and Collab's own client type into one document at once", async () => {
  const documentId = newDocument();
  const clients = [...Y_WEBSOCKETS.map(([, Client]) => openYWebSocket(Client, documentId)), openCollab(documentId)];
  for (let i = 0; i < 50; i++) {
    for (const [number, client] of clients.entries()) textOf(client).insert((i * 7) % (textOf(client).length + 1), String(number), { bold: i % 2 === 0 });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }

  await vi.waitFor(() => {
    const texts = clients.map((client) => JSON.stringify(textOf(client).toDelta()));
    expect(new Set(texts).size).toBe(1);
    expect(textOf(clients[0]!)).toHaveLength(50 * clients.length);
  }, PATIENCE);
});

/** A bare WebSocket to a document, and what comes over it. */
function bare(documentId: string): { socket: WebSocket; received: Buffer[]; closed: Promise<number> } {
  const socket = new WebSocket(`ws://127.0.0.1:${inject("hostPort")}/yjs/${documentId}`);
  const received: Buffer[] = [];
  socket.on("message", (data) => received.push(data as Buffer));
  return { socket, received, closed: new Promise((resolve) => socket.on("close", resolve)) };
}

const SYNC_STEP_1 = Buffer.from("00000100", "hex");

test("y-sweet's question is answered when what came before is stored", async () => {
  const { socket, received } = bare(newDocument());
  await new Promise((resolve) => socket.on("open", resolve));
  const doc = new Y.Doc();
  doc.getText("text").insert(0, "a");
  const update = Y.encodeStateAsUpdate(doc);
  socket.send(Buffer.from([0, 2, update.length, ...update]));
  socket.send(Buffer.from("660105", "hex"));

  await vi.waitFor(() => expect(received.map((message) => message.toString("hex"))).toContain("660105"), PATIENCE);
  const kinds = received.map((message) => message.toString("hex").slice(0, 4));
  expect(kinds.indexOf("0002")).toBeLessThan(kinds.indexOf("6601"));
  socket.terminate();
});

test("several messages in one frame are each answered in a frame of their own", async () => {
  const { socket, received } = bare(newDocument());
  await new Promise((resolve) => socket.on("open", resolve));
  socket.send(Buffer.concat([SYNC_STEP_1, Buffer.from("03", "hex"), SYNC_STEP_1]));

  await vi.waitFor(() => expect(received.map((message) => message.toString("hex"))).toEqual(["00000100", "0001020000", "010100", "0001020000"]), PATIENCE);
  socket.terminate();
});

test.each([
  ["an unknown message", "07"],
  ["an unknown sync message", "000300"],
  ["an update that is none", "00020401020304"],
  ["a state vector that is none", "000001ff"],
  ["awareness that is none", "0102ffff"],
  ["a length beyond the end", "0002ff0100"],
  ["a number without an end", "ffffffffffffffffffffff"],
])("%s ends the connection with a code, and nobody else's", async (_what, hex) => {
  const documentId = newDocument();
  const [other, { socket, closed }] = [openCollab(documentId), bare(documentId)];
  await new Promise((resolve) => socket.on("open", resolve));

  socket.send(Buffer.from(hex, "hex"));

  expect(await closed).toBe(4400);
  textOf(other).insert(0, "goes on");
  const later = openYWebSocket(Y_WEBSOCKETS[2][1], documentId);
  await eventually(() => textOf(later).toString(), "goes on");
});

test("text, and what is larger than the limits, end the connection", async () => {
  const [text, large] = [bare(newDocument()), bare(newDocument())];
  await Promise.all([text, large].map(({ socket }) => new Promise((resolve) => socket.on("open", resolve))));

  text.socket.send("text");
  large.socket.on("error", () => undefined);
  large.socket.send(Buffer.alloc(80 * 1024 * 1024));

  expect(await text.closed).toBe(4400);
  expect([1009, 1006]).toContain(await large.closed);
});

test("a name that is none is no document", async () => {
  expect(await bare("a//b").closed).toBe(4404);
});

test("a request that is none for a WebSocket is told so", async () => {
  const answer = await fetch(`http://127.0.0.1:${inject("hostPort")}/yjs/d`);

  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ code: "invalid_argument" });
});
