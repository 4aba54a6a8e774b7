import { expect, onTestFinished, test } from "vitest";
import { CollabConnection } from "../src/index.js";
import type { HubMethods } from "../src/index.js";
import { as, connect, count, faultyNetwork, follow, followed, hubUrl, newChannel, ownHost, range, until } from "./clients.js";

/** Counts what goes through it, and can lose the answers to what was published. */
class WatchedConnection extends CollabConnection {
  readonly keys: unknown[] = [];
  losesAnswers = false;

  override async call<K extends keyof HubMethods>(method: K, ...args: Parameters<HubMethods[K]>): Promise<ReturnType<HubMethods[K]>> {
    if (method === "Publish") this.keys.push(args[3]);
    const answer = await super.call(method, ...args);
    if (method === "Publish" && this.losesAnswers) {
      this.losesAnswers = false;
      // As if the connection had died after the server had stored the message.
      this.reconnect();
      return new Promise(() => {});
    }
    return answer;
  }
}

/** Lists in lists. */
function nested(depth: number): unknown {
  return Array.from({ length: depth }).reduce<unknown>((inner) => [inner], "deep");
}

test("a_message_whose_acknowledgement_was_lost_is_sent_again_under_the_same_key_and_stands_there_once", async () => {
  const name = newChannel();
  const connection = new WatchedConnection({ url: hubUrl() });
  onTestFinished(() => connection.destroy());
  const channel = connection.channel(name);
  const grace = await followed(connect().channel(name));
  await channel.publish("n", 1);

  connection.losesAnswers = true;
  const position = await channel.publish("n", 2);
  await channel.publish("n", 3);

  await until(() => grace.messages.length >= 3);
  expect(connection.keys).toHaveLength(4);
  expect(connection.keys[1]).toBe(connection.keys[2]);
  expect(new Set(connection.keys).size).toBe(3);
  expect(grace.data).toEqual([1, 2, 3]);
  expect(grace.messages[1]).toMatchObject({ position, id: connection.keys[1] });
});

test("an_own_key_tells_a_repeat_over_another_connection", async () => {
  const name = newChannel();
  const first = await connect().channel(name).publish("order", 1, "order-17");
  expect(await connect().channel(name).publish("order", 1, "order-17")).toBe(first);
  expect(await connect().channel(name).publish("order", 1)).not.toBe(first);
});

test("a_queue_that_is_full_says_so_and_takes_more_when_there_is_room", async () => {
  const network = await faultyNetwork();
  network.cut();
  const channel = connect({ url: network.hubUrl, publishQueue: 3 }).channel(newChannel());
  const waiting = count(channel, 1, 3);

  await expect(channel.publish("n", 4)).rejects.toMatchObject({ code: "queue_full" });
  network.restore();

  await waiting;
  await expect(channel.publish("n", 5)).resolves.toMatch(/-4$/);
});

test("what_the_server_refuses_is_told_with_its_code_and_what_follows_goes_on", async () => {
  const channel = connect().channel(newChannel());
  const follower = await followed(channel);

  const circle: unknown[] = [];
  circle.push(circle);
  const refused = [
    channel.publish("collab:mine", 1),
    channel.publish("", 1),
    channel.publish("large", "x".repeat(70_000)),
    channel.publish("huge", "x".repeat(9_000_000)),
    channel.publish("circle", circle),
    channel.publish("bigint", 1n),
    channel.publish("deep", nested(61)),
    channel.publish("bottomless", nested(3_000)),
  ].map((publishing) => publishing.catch(({ code }) => code as string));
  await channel.publish("good", 1);

  expect(await Promise.all(refused)).toEqual(["invalid_message", "invalid_message", "too_large", "too_large", "invalid_message", "invalid_message", "invalid_message", "invalid_message"]);
  await until(() => follower.messages.length === 1);
  await expect(connect(as("ada", ["subscribe"])).channel(newChannel()).publish("n", 1)).rejects.toMatchObject({ code: "forbidden" });
});

test("data_is_taken_as_it_is_at_the_call_and_arrives_as_json", async () => {
  const channel = connect().channel(newChannel());
  const follower = await followed(channel);
  const data = { when: new Date(0), list: [1], nothing: undefined };

  const publishing = channel.publish("data", data);
  data.list.push(2);
  await publishing;
  await channel.publish("data", undefined);

  await until(() => follower.messages.length === 2);
  expect(follower.data).toEqual([{ when: "1970-01-01T00:00:00.000Z", list: [1] }, null]);
});

test("who_publishes_too_fast_waits_and_loses_nothing", async () => {
  const host = await ownHost({ "Collab:Channels:PublishesPerSecond": "50", "Collab:Channels:PublishBurst": "5" });
  const name = newChannel();
  const follower = await followed(connect({ url: host.hubUrl }).channel(name));
  const connection = new WatchedConnection({ url: host.hubUrl });
  onTestFinished(() => connection.destroy());

  await count(connection.channel(name), 1, 40);

  await until(() => follower.messages.length >= 40);
  expect(follower.data).toEqual(range(1, 40));
  // Some were refused and went again.
  expect(connection.keys.length).toBeGreaterThan(40);
});

test("a_server_killed_under_subscribers_and_publishers_loses_and_doubles_nothing", async () => {
  const host = await ownHost();
  const name = newChannel();
  const transports = ["webSockets", "serverSentEvents", "longPolling"] as const;
  const followers = await Promise.all(transports.map((connection) => followed(connect({ url: host.hubUrl, connection }).channel(name))));
  const publishers = transports.map((connection) => connect({ url: host.hubUrl, connection }).channel(name));
  const acknowledged = new Map<string, string>();
  const publishing: Promise<void>[] = [];
  let n = 0;
  const talking = setInterval(() => {
    n++;
    for (const [i, publisher] of publishers.entries()) {
      const data = `${i}:${n}`;
      publishing.push(publisher.publish("n", data).then((position) => void acknowledged.set(data, position)));
    }
  }, 10);
  onTestFinished(() => clearInterval(talking));

  for (const signal of ["SIGKILL", "SIGTERM", "SIGKILL"] as const) {
    const before = acknowledged.size;
    await until(() => acknowledged.size > before + 60);
    await host.kill(signal);
    await host.start();
  }
  clearInterval(talking);
  await Promise.all(publishing);

  const expected = publishers.flatMap((_, i) => range(1, n).map((k) => `${i}:${k}`));
  await until(() => followers.every(({ messages }) => messages.length >= expected.length));
  for (const { messages, gaps, data } of followers) {
    expect([...data].sort()).toEqual([...expected].sort());
    expect(messages.map(({ position }) => Number(position.split("-")[1]))).toEqual(range(1, expected.length));
    for (const { data: word, position } of messages) expect(acknowledged.get(word as string)).toBe(position);
    // Each publisher's messages in the order of his calls.
    for (const i of publishers.keys()) expect(data.filter((word) => String(word).startsWith(`${i}:`))).toEqual(range(1, n).map((k) => `${i}:${k}`));
    expect(gaps).toEqual([]);
  }
}, 90_000);

test("publishing_needs_no_subscription_and_a_subscription_gets_ones_own_messages", async () => {
  const channel = connect().channel(newChannel());
  await count(channel, 1, 1);
  const own = follow(channel, { rewind: 1 });
  await own.subscription.ready;
  await count(channel, 2, 2);
  await until(() => own.data.length === 2);
  expect(own.data).toEqual([1, 2]);
});
