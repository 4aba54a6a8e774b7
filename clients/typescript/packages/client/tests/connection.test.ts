import { expect, test } from "vitest";
import * as Y from "yjs";
import { CollabError, CollabProvider } from "../src/index.js";
import { append, connect, faultyNetwork, hubUrl, newDocument, open, opened, text, TRANSPORTS, until } from "./clients.js";

test("several_documents_share_one_connection_and_stay_apart", async () => {
  const ids = [newDocument(), newDocument(), newDocument()];
  const ours = connect();
  const theirs = connect();
  const mine = await Promise.all(ids.map((id) => opened(ours, id)));
  const others = await Promise.all(ids.map((id) => opened(theirs, id)));

  mine.forEach((provider, i) => append(provider, `document ${i}`));

  await until(() => others.every((provider) => text(provider).length > 0));
  expect(others.map((provider) => text(provider).toString())).toEqual(["document 0", "document 1", "document 2"]);
});

test("the_same_document_cannot_be_opened_twice_on_one_connection", async () => {
  const id = newDocument();
  const connection = connect();
  const first = await opened(connection, id);

  const again = (): CollabProvider => open(connection, id);

  expect(again).toThrow(CollabError);
  expect(again).toThrow(/already open/);
  first.destroy();
  await until(() => !first.synced);
  expect(again().status).toBe("connecting");
});

test.each(TRANSPORTS)("%s_is_used_when_asked_for", async (transport) => {
  const connection = connect({ connection: transport });
  await until(() => connection.status === "connected");
  expect(connection.transport).toBe(transport);
  expect(connection.protocol).toBe(transport === "serverSentEvents" ? "json" : "messagepack");
});

test.each(TRANSPORTS)("documents_work_with_the_json_protocol_over_%s", async (transport) => {
  const id = newDocument();
  const ada = await opened(connect({ connection: transport, protocol: "json" }), id);
  const grace = await opened(connect(), id);
  append(ada, "in base64");
  await until(() => text(grace).toString() === "in base64");
  expect(ada.connection.protocol).toBe("json");
});

test("auto_prefers_web_sockets", async () => {
  const connection = connect();
  await until(() => connection.status === "connected");
  expect(connection.transport).toBe("webSockets");
});

test("auto_falls_back_where_web_sockets_do_not_pass", async () => {
  const network = await faultyNetwork();
  network.blocksWebSockets = true;
  const connection = connect({ url: network.hubUrl });
  await until(() => connection.status === "connected");
  expect(connection.transport).toBe("serverSentEvents");
});

test("the_transport_is_switched_in_place_and_nothing_is_lost", async () => {
  const id = newDocument();
  const connection = connect({ connection: "webSockets" });
  const ada = await opened(connection, id);
  const grace = await opened(connect(), id);

  for (const transport of ["longPolling", "serverSentEvents", "webSockets"] as const) {
    append(ada, `before ${transport} `);
    connection.mode = transport;
    append(ada, `during ${transport} `);
    await until(() => connection.transport === transport && ada.synced && !ada.hasUnsyncedChanges);
  }

  await until(() => text(grace).toString() === text(ada).toString());
  for (const transport of TRANSPORTS) expect(text(grace).toString()).toContain(`before ${transport} during ${transport} `);
});

test("an_unreachable_server_is_reported_and_tried_again", async () => {
  const network = await faultyNetwork();
  network.cut();
  const connection = connect({ url: network.hubUrl });
  const codes: string[] = [];
  connection.on("error", ({ code }) => codes.push(code));
  await until(() => codes.length >= 3);
  expect(new Set(codes)).toEqual(new Set(["unreachable"]));

  network.restore();

  await until(() => connection.status === "connected");
});

test("a_provider_with_an_address_owns_its_connection", async () => {
  const provider = new CollabProvider(hubUrl(), newDocument(), new Y.Doc());
  await until(() => provider.synced);

  provider.destroy();

  await until(() => provider.connection.status === "disconnected");
  expect(() => provider.connection.connect()).toThrow(/destroyed/);
});

test("a_provider_that_was_disconnected_keeps_changes_for_later", async () => {
  const id = newDocument();
  const ada = await opened(connect(), id);
  const grace = await opened(connect(), id);

  ada.disconnect();
  append(ada, "later");
  append(grace, "now ");
  await until(() => !grace.hasUnsyncedChanges);
  expect(text(ada).toString()).toBe("later");
  ada.connect();

  await until(() => ada.synced && !ada.hasUnsyncedChanges);
  await until(() => text(grace).toString() === text(ada).toString());
  expect(text(ada).length).toBe("later".length + "now ".length);
});
