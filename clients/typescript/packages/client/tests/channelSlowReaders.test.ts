import { beforeAll, expect, onTestFinished, test } from "vitest";
import { CollabHost } from "../../../testing/CollabHost.js";
import { connect, faultyNetwork, followed, newChannel, post, range, until } from "./clients.js";
import type { Follower } from "./clients.js";

let host: CollabHost;

// Small outboxes, so that a reader who stalls falls behind soon; and a write may take as long as these tests do.
beforeAll(async () => {
  host = await CollabHost.start({
    settings: {
      "Collab:Fanout:OutboxBytes": "65536",
      "Collab:Fanout:WriteTimeoutMilliseconds": "60000",
      "Collab:Channels:Namespaces:0:Pattern": "brief:*",
      "Collab:Channels:Namespaces:0:HistoryMessages": "20",
      "Collab:Channels:Namespaces:1:Pattern": "latest:*",
      "Collab:Channels:Namespaces:1:SlowReaders": "Latest",
      "Collab:Channels:Namespaces:2:Pattern": "pieces:*",
      "Collab:Channels:Namespaces:2:SlowReaders": "Coalesce",
    },
  });
  return () => host.dispose();
});

/** A follower of a channel who does not read what is published until it is all there. */
async function stalled(name: string, publish: () => Promise<unknown>): Promise<Follower> {
  const network = await faultyNetwork(host.port);
  const connection = connect({ url: network.hubUrl, connection: "webSockets" });
  let connected = 0;
  connection.on("status", ({ status }) => status === "connected" && connected++);
  const follower = await followed(connection.channel(name));
  network.stall();
  onTestFinished(() => network.flow());
  await publish();
  network.flow();
  await post(name, ["end"], host.url);
  await until(() => follower.data.at(-1) === "end");
  expect(connected).toBe(1);
  return follower;
}

/** More than the sockets on the way take in. */
const FILL = "x".repeat(50_000);

test("one_who_stalls_gets_everything_afterwards", async () => {
  const name = newChannel();
  const follower = await stalled(name, () => post(name, range(1, 400).map((n) => ({ n, FILL })), host.url, 40));
  expect(follower.data.slice(0, -1).map((data) => (data as { n: number }).n)).toEqual(range(1, 400));
  expect(follower.gaps).toEqual([]);
});

test("one_who_stalls_longer_than_the_history_lasts_is_told_of_the_gap_without_a_reconnect", async () => {
  const name = `brief:${newChannel()}`;
  const follower = await stalled(name, () => post(name, range(1, 400).map((n) => ({ n, FILL })), host.url, 40));
  const numbers = follower.data.slice(0, -1).map((data) => (data as { n: number }).n);
  expect(numbers.length).toBeLessThan(400);
  expect(numbers.at(-1)).toBe(400);
  expect(follower.gaps.length).toBeGreaterThan(0);
});

test("one_who_stalls_where_the_latest_counts_gets_that_and_no_gap_is_told", async () => {
  const name = `latest:${newChannel()}`;
  const follower = await stalled(name, () => post(name, range(1, 400).map((n) => ({ n, FILL })), host.url, 40));
  const numbers = follower.data.slice(0, -1).map((data) => (data as { n: number }).n);
  expect(numbers.length).toBeLessThan(400);
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  expect(follower.messages.some(({ skipped = 0 }) => skipped > 0)).toBe(true);
  expect(follower.messages.every((message) => message.skipped !== null)).toBe(true);
  expect(follower.gaps).toEqual([]);
});

test("one_who_stalls_gets_pieces_of_a_text_put_together_and_all_of_it", async () => {
  const name = `pieces:${newChannel()}`;
  const pieces = range(1, 3_000).map((n) => ({ id: "answer", text: `${n} ${"x".repeat(5_000)};` }));
  const follower = await stalled(name, () => post(name, pieces, host.url, 300));
  const text = follower.data.slice(0, -1).map((data) => (data as { text: string }).text).join("");
  expect(text === pieces.map((piece) => piece.text).join("")).toBe(true);
  expect(follower.messages.length).toBeLessThan(3_000);
  expect(follower.gaps).toEqual([]);
});
