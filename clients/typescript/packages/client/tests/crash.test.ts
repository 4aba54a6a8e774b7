import { expect, onTestFinished, test } from "vitest";
import * as Y from "yjs";
import { CollabHost } from "../../../testing/CollabHost.js";
import { append, connect, newDocument, opened, text, TRANSPORTS, until } from "./clients.js";

test("a_server_killed_in_mid_traffic_loses_nothing_that_it_acknowledged", async () => {
  const host = await CollabHost.start();
  onTestFinished(() => host.dispose());
  const id = newDocument();
  const writers = await Promise.all(TRANSPORTS.map((connection) => opened(connect({ url: host.hubUrl, connection }), id)));
  const acknowledged = new Y.Doc();
  let acknowledgements = 0;
  for (const writer of writers)
    writer.on("acknowledged", ({ update }) => {
      acknowledgements++;
      Y.applyUpdate(acknowledged, update);
    });
  let words = 0;
  const typing = setInterval(() => writers.forEach((writer, i) => append(writer, `${TRANSPORTS[i]}-${words++} `)), 5);
  onTestFinished(() => clearInterval(typing));

  await until(() => acknowledgements > 60);
  await host.kill("SIGKILL");
  // Nobody may answer now: what is in `acknowledged` is what the dead server has promised.
  const promised = Y.encodeStateAsUpdate(acknowledged);
  await until(() => writers.every((writer) => writer.status !== "connected"));
  await host.start();

  // Somebody who has nothing of his own gets what the server has kept, before the writers fill in what it lacks.
  const witness = await opened(connect({ url: host.hubUrl }), id);
  const kept = Y.decodeStateVector(Y.encodeStateVector(witness.doc));
  for (const [client, clock] of Y.decodeStateVector(Y.encodeStateVectorFromUpdate(promised)))
    expect(kept.get(client) ?? 0).toBeGreaterThanOrEqual(clock);

  // The writers come back by themselves and go on.
  await until(() => writers.every((writer) => writer.synced));
  clearInterval(typing);
  await until(() => writers.every((writer) => !writer.hasUnsyncedChanges));
  await until(() => [...writers, witness].every((writer) => text(writer).length === text(writers[0]!).length));
  for (let word = 0; word < words; word++) expect(text(witness).toString()).toContain(`${TRANSPORTS[word % 3]}-${word} `);
  expect(new Set([...writers, witness].map((writer) => text(writer).toString())).size).toBe(1);
}, 90_000);
