import { expect, onTestFinished, test } from "vitest";
import * as Y from "yjs";
import { CollabConnection, CollabError } from "../src/index.js";
import type { HubMethods } from "../src/index.js";
import { append, connect, hubUrl, newDocument, open, opened, text, until } from "./clients.js";

/** Counts the pushes that go through it. */
class WatchedConnection extends CollabConnection {
  pushes = 0;
  inFlight = 0;
  mostInFlight = 0;

  override async call<K extends keyof HubMethods>(method: K, ...args: Parameters<HubMethods[K]>): Promise<ReturnType<HubMethods[K]>> {
    if (method !== "PushUpdate") return super.call(method, ...args);
    this.pushes++;
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    try {
      return await super.call(method, ...args);
    } finally {
      this.inFlight--;
    }
  }
}

test("one_push_is_in_flight_and_what_is_written_meanwhile_goes_merged", async () => {
  const id = newDocument();
  const connection = new WatchedConnection({ url: hubUrl() });
  onTestFinished(() => connection.destroy());
  const ada = await opened(connection, id);

  for (let i = 0; i < 500; i++) {
    append(ada, "x");
    if (i % 50 === 0) await new Promise(setImmediate);
  }
  expect(ada.unacknowledged).toBeGreaterThan(0);
  await until(() => ada.unacknowledged === 0);

  expect(connection.mostInFlight).toBe(1);
  expect(connection.pushes).toBeLessThan(60);
  const grace = await opened(connect(), id);
  expect(text(grace).length).toBe(500);
});

test("acknowledged_updates_carry_everything_that_was_written", async () => {
  const ada = await opened(connect(), newDocument());
  const acknowledged = new Y.Doc();
  const positions: string[] = [];
  ada.on("acknowledged", ({ update, position }) => {
    Y.applyUpdate(acknowledged, update);
    positions.push(position);
  });

  for (const word of ["one ", "two ", "three"]) {
    append(ada, word);
    await until(() => !ada.hasUnsyncedChanges);
  }

  expect(acknowledged.getText("text").toString()).toBe("one two three");
  expect(new Set(positions).size).toBe(3);
});

test("an_invalid_update_is_refused_with_its_code_and_the_connection_goes_on", async () => {
  const id = newDocument();
  const connection = connect();
  const ada = await opened(connection, id);
  const grace = await opened(connect(), id);
  let closed = 0;
  connection.on("status", () => closed++);

  const garbage = connection.call("PushUpdate", id, new Uint8Array([255, 255, 255, 7, 1, 2, 3]));

  await expect(garbage).rejects.toBeInstanceOf(CollabError);
  await expect(garbage).rejects.toMatchObject({ code: "invalid_update" });
  append(ada, "still here");
  await until(() => text(grace).toString() === "still here");
  expect(closed).toBe(0);
});

test("a_call_about_a_document_that_is_not_joined_is_refused_with_its_code", async () => {
  const connection = connect();
  await until(() => connection.status === "connected");
  await expect(connection.call("PushUpdate", newDocument(), new Uint8Array([0, 0]))).rejects.toMatchObject({ code: "not_joined" });
});

test("a_document_id_against_the_rules_is_refused_and_not_tried_again", async () => {
  const provider = open(connect(), "no//empty segments");
  const errors: string[] = [];
  provider.on("error", ({ code }) => errors.push(code));

  const reason = await new Promise<string>((resolve) => provider.once("closed", (event) => resolve(event.reason)));

  expect(reason).toBe("invalid_name");
  expect(errors).toEqual(["invalid_name"]);
  expect(provider.status).toBe("disconnected");
});
