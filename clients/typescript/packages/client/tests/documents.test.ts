import { describe, expect, test } from "vitest";
import * as Y from "yjs";
import { append, connect, faultyNetwork, newDocument, open, opened, text, TRANSPORTS, until } from "./clients.js";

describe.each(TRANSPORTS)("a document over %s", (transport) => {
  test("two_clients_who_write_at_the_same_time_converge", async () => {
    const id = newDocument();
    const ada = await opened(connect({ connection: transport }), id);
    const grace = await opened(connect({ connection: transport }), id);

    for (let i = 0; i < 50; i++) {
      text(ada).insert(0, `a${i} `);
      append(grace, `g${i} `);
      if (i % 10 === 0) await new Promise(setImmediate);
    }

    await until(() => ada.unacknowledged === 0 && grace.unacknowledged === 0);
    await until(() => text(ada).length === text(grace).length);
    expect(text(ada).toString()).toBe(text(grace).toString());
    const words = text(ada).toString().trim().split(" ");
    expect(words.sort()).toEqual(Array.from({ length: 50 }, (_, i) => [`a${i}`, `g${i}`]).flat().sort());
  });

  test("one_who_comes_later_gets_everything_at_once", async () => {
    const id = newDocument();
    const ada = await opened(connect({ connection: transport }), id);
    append(ada, "before you came");
    await until(() => !ada.hasUnsyncedChanges);

    const grace = await opened(connect({ connection: transport }), id);

    expect(text(grace).toString()).toBe("before you came");
  });

  test("what_both_sides_write_during_an_outage_is_exchanged_afterwards", async () => {
    const id = newDocument();
    const network = await faultyNetwork();
    const ada = await opened(connect({ url: network.hubUrl, connection: transport }), id);
    const grace = await opened(connect({ connection: transport }), id);
    append(ada, "shared ");
    await until(() => text(grace).toString() === "shared ");

    network.cut();
    await until(() => ada.status !== "connected");
    append(ada, "offline ");
    append(grace, "online ");
    expect(ada.hasUnsyncedChanges).toBe(true);
    await until(() => !grace.hasUnsyncedChanges);
    network.restore();

    await until(() => ada.synced && !ada.hasUnsyncedChanges);
    await until(() => text(grace).toString().includes("offline"));
    expect(text(ada).toString()).toBe(text(grace).toString());
    expect(text(ada).toString().trim().split(" ").sort()).toEqual(["offline", "online", "shared"]);
  });

  test("a_deletion_made_during_an_outage_gets_through", async () => {
    const id = newDocument();
    const network = await faultyNetwork();
    const ada = await opened(connect({ url: network.hubUrl, connection: transport }), id);
    const grace = await opened(connect({ connection: transport }), id);
    append(ada, "keep drop");
    await until(() => text(grace).toString() === "keep drop");

    network.cut();
    await until(() => ada.status !== "connected");
    // A state vector does not change by this.
    text(ada).delete(4, 5);
    network.restore();

    await until(() => text(grace).toString() === "keep");
    await until(() => !ada.hasUnsyncedChanges);
  });

  test("a_reconnect_leaves_no_second_connection_that_delivers", async () => {
    const id = newDocument();
    const network = await faultyNetwork();
    const ada = await opened(connect({ url: network.hubUrl, connection: transport }), id);
    const grace = await opened(connect({ connection: transport }), id);
    for (let i = 0; i < 3; i++) {
      const back = new Promise<void>((resolve) => ada.once("synced", () => ada.once("synced", () => resolve())));
      ada.connection.reconnect();
      await back;
    }

    const before = network.bytesReceived;
    const size = 200_000;
    grace.doc.getMap("files").set("blob", crypto.getRandomValues(new Uint8Array(60_000)));
    grace.doc.getText("long").insert(0, "x".repeat(size - 60_000));
    await until(() => ada.doc.getText("long").length > 0 && ada.doc.getMap("files").has("blob"));
    // A second delivery would come at about the same time as the first: wait for another round trip after it.
    await ada.resync();

    const received = network.bytesReceived - before;
    expect(received).toBeGreaterThan(size);
    expect(received).toBeLessThan(size * 1.7);
  });

  test("awareness_appears_and_goes_when_its_provider_is_destroyed", async () => {
    const id = newDocument();
    const ada = await opened(connect({ connection: transport }), id);
    const grace = await opened(connect({ connection: transport }), id);
    ada.awareness.setLocalStateField("user", { name: "Ada" });
    await until(() => grace.awareness.getStates().get(ada.awareness.clientID)?.["user"]?.name === "Ada");

    const adasClient = ada.awareness.clientID;
    ada.destroy();

    await until(() => !grace.awareness.getStates().has(adasClient));
    expect(grace.awareness.getStates().has(grace.awareness.clientID)).toBe(true);
  });

  test("one_who_joins_sees_who_is_there", async () => {
    const id = newDocument();
    const ada = await opened(connect({ connection: transport }), id);
    ada.awareness.setLocalStateField("user", { name: "Ada" });
    // Answered after what was sent before it.
    await ada.resync();

    const grace = await opened(connect({ connection: transport }), id);

    await until(() => grace.awareness.getStates().get(ada.awareness.clientID)?.["user"]?.name === "Ada");
  });

  test("awareness_comes_back_after_an_outage", async () => {
    const id = newDocument();
    const network = await faultyNetwork();
    const ada = await opened(connect({ url: network.hubUrl, connection: transport }), id);
    const grace = await opened(connect({ connection: transport }), id);
    ada.awareness.setLocalStateField("user", { name: "Ada" });
    const seesAda = (): boolean => grace.awareness.getStates().has(ada.awareness.clientID);
    await until(seesAda);

    network.cut();
    await until(() => !seesAda(), 29_000);
    network.restore();

    await until(seesAda);
  }, 60_000);

  test("who_comes_back_sees_those_who_stayed_at_once", async () => {
    const id = newDocument();
    const adas = connect({ connection: transport });
    const ada = await opened(adas, id);
    const grace = await opened(connect({ connection: transport }), id);
    grace.awareness.setLocalStateField("user", { name: "Grace" });
    const seesGrace = (): boolean => ada.awareness.getStates().has(grace.awareness.clientID);
    await until(seesGrace);

    let isForgotten = false;
    ada.awareness.on("change", ({ removed }: { removed: number[] }) => (isForgotten ||= removed.includes(grace.awareness.clientID)));
    adas.reconnect();
    await until(() => isForgotten);

    // Long before she renews her state.
    await until(seesGrace, 5_000);
  });
});

test("a_document_that_was_filled_before_it_was_opened_is_sent", async () => {
  const id = newDocument();
  const connection = connect();
  const doc = new Y.Doc();
  doc.getText("text").insert(0, "from a file");
  const ada = open(connection, id, doc);
  await until(() => ada.synced && !ada.hasUnsyncedChanges);

  const grace = await opened(connect(), id);

  expect(text(grace).toString()).toBe("from a file");
});
