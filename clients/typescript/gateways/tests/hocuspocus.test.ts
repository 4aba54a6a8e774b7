import { describe, expect, test, vi } from "vitest";
import { tokenOf } from "../../testing/CollabHost.js";
import { HOCUSPOCUS, PATIENCE, Y_WEBSOCKETS, eventually, newDocument, openCollab, openHocuspocus, openHocuspocusSocket, openYWebSocket, ownHost, textOf } from "./clients.js";

/** The message that a server sends on to all in a document, which the packages' clients have no function for. */
const BROADCAST_STATELESS = 6;

/** Waits until nothing waits. Version 2 counts below zero when what was typed while it was away goes out twice. */
async function synced(...providers: readonly { readonly isSynced: boolean; readonly hasUnsyncedChanges: boolean }[]): Promise<void> {
  await vi.waitFor(
    () => expect(providers.map((provider) => [provider.isSynced, provider.hasUnsyncedChanges])).toEqual(providers.map(() => [true, false])),
    PATIENCE,
  );
}

describe.each(HOCUSPOCUS)("%s", (_name, version) => {
  test("tells that it is authenticated, synced, and that nothing waits", async () => {
    const told: string[] = [];
    const provider = openHocuspocus(version, newDocument(), {
      onAuthenticated: () => told.push("authenticated"),
      onSynced: () => told.push("synced"),
      onAuthenticationFailed: () => told.push("failed"),
    });

    await synced(provider);

    expect(told).toEqual(["authenticated", "synced"]);
    expect(provider.hasUnsyncedChanges).toBe(false);
  });

  test("edits the document that SignalR's and y-websocket's clients edit", async () => {
    const documentId = newDocument();
    const [theirs, ours, yWebSocket] = [openHocuspocus(version, documentId), openCollab(documentId), openYWebSocket(Y_WEBSOCKETS[2][1], documentId)];
    await synced(theirs);

    textOf(theirs).insert(0, "theirs");
    await eventually(() => textOf(ours).toString(), "theirs");
    await eventually(() => textOf(yWebSocket).toString(), "theirs");
    textOf(ours).insert(6, " and ours");
    await eventually(() => textOf(theirs).toString(), "theirs and ours");
    textOf(yWebSocket).insert(0, "all: ");

    await eventually(() => textOf(theirs).toString(), "all: theirs and ours");
    await synced(theirs);
  });

  test("sees who is present, and is seen until it leaves", async () => {
    const documentId = newDocument();
    const [theirs, ours] = [openHocuspocus(version, documentId), openCollab(documentId)];
    ours.awareness.setLocalState({ name: "ours" });
    theirs.setAwarenessField("name", "theirs");

    await vi.waitFor(() => expect(ours.awareness.getStates().get(theirs.document.clientID)).toMatchObject({ name: "theirs" }), PATIENCE);
    await vi.waitFor(() => expect(theirs.awareness?.getStates().get(ours.doc.clientID)).toEqual({ name: "ours" }), PATIENCE);
    theirs.destroy();

    await vi.waitFor(() => expect(ours.awareness.getStates().has(theirs.document.clientID)).toBe(false), PATIENCE);
  });

  test("keeps what it no longer waits for through kill -9", async () => {
    const host = await ownHost();
    const provider = openHocuspocus(version, "d", { port: host.port });
    await synced(provider);
    for (let i = 0; i < 50; i++) textOf(provider).insert(i, "x");
    expect(provider.unsyncedChanges).toBe(50);
    await vi.waitFor(() => expect(provider.unsyncedChanges).toBe(0), PATIENCE);
    provider.destroy();

    await host.kill();
    await host.start();

    const later = openCollab("d", host.port);
    await eventually(() => textOf(later).toString(), "x".repeat(50));
  });

  test("comes back after the server was restarted, with what was typed meanwhile", async () => {
    const host = await ownHost();
    const provider = openHocuspocus(version, "d", { port: host.port });
    await synced(provider);

    await host.kill("SIGTERM");
    textOf(provider).insert(0, "meanwhile");
    expect(provider.hasUnsyncedChanges).toBe(true);
    await host.start();

    const ours = openCollab("d", host.port);
    await eventually(() => textOf(ours).toString(), "meanwhile");
    await synced(provider);
  });

  test("has several documents over one WebSocket, each of which ends by itself", async () => {
    const [a, b] = [newDocument(), newDocument()];
    const socket = openHocuspocusSocket(version);
    const [first, second] = [openHocuspocus(version, a, { socket }), openHocuspocus(version, b, { socket })];
    const [oursA, oursB] = [openCollab(a), openCollab(b)];
    await synced(first, second);
    textOf(first).insert(0, "a");
    textOf(second).insert(0, "b");
    await eventually(() => textOf(oursA).toString(), "a");
    await eventually(() => textOf(oursB).toString(), "b");

    first.destroy();
    textOf(oursB).insert(1, "b");

    await eventually(() => textOf(second).toString(), "bb");
    textOf(second).insert(2, "b");
    await eventually(() => textOf(oursB).toString(), "bbb");
  });

  test("may read with the right to, and what it writes waits for ever", async () => {
    const documentId = newDocument();
    const ours = openCollab(documentId);
    textOf(ours).insert(0, "text");
    const reader = openHocuspocus(version, documentId, { token: tokenOf("reader", ["read"]) });
    await eventually(() => textOf(reader).toString(), "text");
    await synced(reader);

    textOf(reader).insert(0, "no ");
    textOf(ours).insert(4, " and more");

    await vi.waitFor(() => expect(textOf(reader).toString()).toContain(" and more"), PATIENCE);
    expect(textOf(ours).toString()).toBe("text and more");
    expect(reader.hasUnsyncedChanges).toBe(true);
  });

  test.each([
    ["without a right", () => tokenOf("stranger", []), "forbidden"],
    ["with a token that is none", () => "none", "forbidden"],
  ])("is told that it may not come in %s, and others of its WebSocket go on", async (_why, token, code) => {
    const socket = openHocuspocusSocket(version);
    const allowed = openHocuspocus(version, newDocument(), { socket });
    await synced(allowed);

    const reason = await new Promise<string>((resolve) => {
      openHocuspocus(version, newDocument(), { socket, token: token(), onAuthenticationFailed: (event) => resolve(event.reason) });
    });

    expect(reason).toContain(code);
    textOf(allowed).insert(0, "text");
    await synced(allowed);
  });

  test("may ask again what it lacks", async () => {
    const documentId = newDocument();
    const [provider, ours] = [openHocuspocus(version, documentId), openCollab(documentId)];
    await synced(provider);

    provider.forceSync();
    textOf(ours).insert(0, "x");

    await eventually(() => textOf(provider).toString(), "x");
    await vi.waitFor(() => expect(provider.isSynced).toBe(true), PATIENCE);
  });

  test("hears what is said beside the document, and may say something", async () => {
    const documentId = newDocument();
    const heard: string[] = [];
    const provider = openHocuspocus(version, documentId, { onStateless: ({ payload }) => heard.push(payload) });
    const silent = openYWebSocket(Y_WEBSOCKETS[2][1], documentId);
    await synced(provider);
    // Nobody handles it, and nothing happens.
    provider.sendStateless("to the server");

    const name = new TextEncoder().encode(documentId);
    const said = new TextEncoder().encode("to all: grüß Gott");
    provider.configuration.websocketProvider.send(Uint8Array.from([name.length, ...name, BROADCAST_STATELESS, said.length, ...said]));

    await vi.waitFor(() => expect(heard).toEqual(["to all: grüß Gott"]), PATIENCE);
    expect([provider.isSynced, silent.synced]).toEqual([true, true]);
  });

  test("enters a document without a token where guests are welcome", async () => {
    const provider = openHocuspocus(version, newDocument(), { token: "" });
    textOf(provider).insert(0, "x");

    await vi.waitFor(() => expect(provider.isSynced).toBe(true), PATIENCE);
  });
});

test.each(HOCUSPOCUS.slice(1))("%s is asked for a newer token before its own expires, and stays", async (_name, version) => {
  const lifetime = 4;
  const ends: string[] = [];
  let asked = 0;
  const provider = openHocuspocus(version, newDocument(), {
    token: () => {
      asked++;
      return tokenOf("renewed", undefined, lifetime);
    },
    onClose: () => ends.push("close"),
    onDisconnect: () => ends.push("disconnect"),
    onAuthenticationFailed: () => ends.push("failed"),
  });
  await synced(provider);

  await new Promise((resolve) => setTimeout(resolve, 2.5 * lifetime * 1000));
  textOf(provider).insert(0, "still here");
  await synced(provider);

  expect(ends).toEqual([]);
  expect(asked).toBeGreaterThan(2);
}, 30_000);

test("hocuspocus 4 has two providers of one document over one WebSocket", async () => {
  const documentId = newDocument();
  const version = HOCUSPOCUS[2]![1];
  const socket = openHocuspocusSocket(version);
  const options = { socket, sessionAwareness: true };
  const [first, second] = [openHocuspocus(version, documentId, options), openHocuspocus(version, documentId, options)];
  await synced(first, second);
  first.setAwarenessField("name", "first");

  textOf(first).insert(0, "x");
  await eventually(() => textOf(second).toString(), "x");
  await vi.waitFor(() => expect(second.awareness?.getStates().get(first.document.clientID)).toMatchObject({ name: "first" }), PATIENCE);
  first.destroy();

  textOf(second).insert(0, "y");
  await synced(second);
  await vi.waitFor(() => expect(second.awareness?.getStates().has(first.document.clientID)).toBe(false), PATIENCE);
  const ours = openCollab(documentId);
  await eventually(() => textOf(ours).toString(), "yx");
});

test("all versions, y-websocket's and Collab's own client type into one document at once", async () => {
  const documentId = newDocument();
  const clients = [
    ...HOCUSPOCUS.map(([, version]) => openHocuspocus(version, documentId)),
    ...Y_WEBSOCKETS.map(([, Client]) => openYWebSocket(Client, documentId)),
    openCollab(documentId),
  ];
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
