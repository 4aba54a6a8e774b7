import { describe, expect, test } from "vitest";
import type { ChannelMessage } from "../src/index.js";
import { as, connect, count, faultyNetwork, follow, followed, hubUrl, newChannel, post, range, TRANSPORTS, until } from "./clients.js";

describe.each(TRANSPORTS)("a channel over %s", (connection) => {
  test("what_is_published_after_ready_is_received_in_order_with_all_that_belongs_to_it", async () => {
    const name = newChannel();
    const ada = connect({ connection }).channel(name);
    const grace = await followed(connect({ connection }).channel(name));
    const data = { text: "Grüße 👋", deep: [{ a: null, b: 1.5, c: [true, "x"] }] };

    const positions = [await ada.publish("chat", data), await ada.publish("chat", "second")];

    await until(() => grace.messages.length === 2);
    expect(grace.messages[0]).toEqual({
      position: positions[0],
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      event: "chat",
      data,
      publishedAt: expect.closeTo(Date.now(), -5),
      publisher: "guest",
    });
    expect(grace.messages.map(({ position }) => position)).toEqual(positions);
    expect(grace.subscription.position).toBe(positions[1]);
  });

  test("what_was_published_during_an_outage_comes_afterwards_once_and_in_order", async () => {
    const name = newChannel();
    const network = await faultyNetwork();
    const ours = connect({ url: network.hubUrl, connection });
    const ada = await followed(ours.channel(name));
    const grace = connect().channel(name);
    await count(grace, 1, 3);
    await until(() => ada.messages.length === 3);

    for (const from of [4, 54]) {
      network.cut();
      await until(() => ours.status !== "connected");
      await count(grace, from, from + 49);
      network.restore();
      await until(() => ada.messages.length >= from + 49);
    }

    await count(grace, 104, 104);
    await until(() => ada.data.includes(104));
    expect(ada.data).toEqual(range(1, 104));
    expect(ada.gaps).toEqual([]);
  });

  test("what_is_published_without_a_connection_is_sent_when_there_is_one_once_and_in_order", async () => {
    const name = newChannel();
    const network = await faultyNetwork();
    const ours = connect({ url: network.hubUrl, connection });
    const ada = ours.channel(name);
    const grace = await followed(connect().channel(name));
    await count(ada, 1, 1);

    const published = count(ada, 2, 30);
    await until(() => grace.messages.length > 3);
    network.cut();
    await until(() => ours.status !== "connected");
    const more = count(ada, 31, 40);
    network.restore();

    await Promise.all([published, more]);
    await until(() => grace.messages.length >= 40);
    expect(grace.data).toEqual(range(1, 40));
  });

  test("reconnects_in_a_row_end_with_one_connection_that_stays", async () => {
    const name = newChannel();
    const ours = connect({ connection });
    const ada = await followed(ours.channel(name));
    const errors: string[] = [];
    ours.on("error", ({ message }) => errors.push(message));
    for (let i = 0; i < 5; i++) {
      const back = new Promise<void>((resolve) => ours.on("status", ({ status }) => status === "connected" && resolve()));
      ours.reconnect();
      await back;
    }

    let changes = 0;
    ours.on("status", () => changes++);
    await count(connect().channel(name), 1, 20);
    await until(() => ada.messages.length >= 20);

    // The server gives a connection that it replaces two seconds to go.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(ada.data).toEqual(range(1, 20));
    expect(changes).toBe(0);
    expect(errors).toEqual([]);
  });
});

test("a_connection_that_the_server_still_takes_for_alive_is_ended_when_its_client_comes_back", async () => {
  const network = await faultyNetwork();
  const ours = connect({ url: network.hubUrl, connection: "webSockets" });
  const ada = await followed(ours.channel(newChannel()));
  for (let i = 0; i < 3; i++) {
    const back = new Promise<void>((resolve) => ours.on("status", ({ status }) => status === "connected" && resolve()));
    network.abandon();
    await back;
  }
  expect(network.serverConnections).toBeGreaterThan(1);

  // Long before the server would miss the pings of those that are left: that takes it 30 s.
  await until(() => network.serverConnections === 1, 15_000);
  await ours.channel(newChannel()).publish("n", 1);
  expect(ours.status).toBe("connected");
  expect(ada.gaps).toEqual([]);
});

test.each(["json", "messagepack"] as const)("any_json_value_published_over_%s_arrives_as_it_was_over_both_protocols_and_http", async (protocol) => {
  const name = newChannel();
  const channel = connect({ protocol }).channel(name);
  const followers = await Promise.all((["json", "messagepack"] as const).map((other) => followed(connect({ protocol: other }).channel(name))));
  const values = [
    ...[null, true, false, "", "x", "\n\r\t\b\f\"\\/", "\u2028\u2029", "👩‍👩‍👧 مرحبا 漢字", [], {}, [[]], [{}], { "": "" }, { __proto__x: 1, constructor: 2, "a b": [null] }],
    ...[0, -1, 1.5, -0.1, 127, 128, 255, 256, 65_535, 65_536, -32_769, 2 ** 31, 2 ** 32, -(2 ** 31) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 1e300, 5e-324, 0.1 + 0.2, 1e21, 123456789.123],
    "x".repeat(60_000),
    range(1, 5_000),
    Array.from({ length: 50 }).reduce<unknown>((inner) => [inner], "deep"),
    Object.fromEntries(range(1, 500).map((n) => [`key ${n}`, { n, text: "x".repeat(n % 40) }])),
  ];

  for (const value of values) await channel.publish("any", value);

  await until(() => followers.every(({ messages }) => messages.length >= values.length));
  const polled = (await (await fetch(`${hubUrl().replace("/hubs/collab", "")}/channels/${encodeURIComponent(name)}/messages?wait=0&limit=1000`)).json()) as { messages: ChannelMessage[] };
  for (const data of [...followers.map((follower) => follower.data), polled.messages.map((message) => message.data)]) for (const [i, value] of values.entries()) expect(data[i]).toEqual(value);
});

test("what_message_pack_cannot_read_in_javascript_is_refused_whoever_publishes_it", async () => {
  const name = newChannel();
  const follower = await followed(connect().channel(name));
  const hostile = JSON.parse('{"__proto__":{"admin":true}}') as unknown;

  await post(name, [1]);
  await expect(post(name, [hostile])).rejects.toThrow();
  await post(name, [3]);

  await until(() => follower.messages.length >= 2);
  expect(follower.data).toEqual([1, 3]);
});

test("a_connection_gives_the_same_channel_object_for_a_name", () => {
  const connection = connect();
  const name = newChannel();
  expect(connection.channel(name)).toBe(connection.channel(name));
  expect(connection.channel(newChannel())).not.toBe(connection.channel(name));
});

test("events_and_data_are_typed_and_handlers_may_be_given_per_event", async () => {
  interface Room {
    chat: { text: string };
    price: number;
  }
  const channel = connect().channel<Room>(newChannel());
  const seen: string[] = [];
  const all = channel.subscribe((message) => {
    // The union is told apart by its event.
    if (message.event === "chat") seen.push(`all ${message.data.text}`);
    else seen.push(`all ${message.data.toFixed(1)}`);
  });
  const some = channel.subscribe({ price: (message) => seen.push(`price ${message.data + 1}`) });
  await Promise.all([all.ready, some.ready]);

  await channel.publish("chat", { text: "hello" });
  await channel.publish("price", 2);
  const neverCalled = (): unknown => [
    // @ts-expect-error: a price is a number
    channel.publish("price", "3"),
    // @ts-expect-error: there is no such event
    channel.publish("prize", 3),
  ];

  await until(() => seen.length >= 3);
  expect(seen).toEqual(["all hello", "all 2.0", "price 3"]);
  expect(neverCalled).toBeTypeOf("function");
});

test("a_handler_that_throws_stops_nobody", async () => {
  const name = newChannel();
  const channel = connect().channel(name);
  const thrown: unknown[] = [];
  const note = (error: unknown): void => void thrown.push(error);
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException").on("uncaughtException", note);
  try {
    await channel.subscribe(() => {
      throw new Error("mine");
    }).ready;
    const calm = await followed(channel);
    await count(channel, 1, 2);
    await until(() => calm.messages.length === 2 && thrown.length === 2);
  } finally {
    process.off("uncaughtException", note);
    for (const other of others) process.on("uncaughtException", other);
  }
});

test("several_subscriptions_share_what_the_server_sends_and_each_begins_where_it_asked_to", async () => {
  const name = newChannel();
  const network = await faultyNetwork();
  const channel = connect({ url: network.hubUrl }).channel(name);
  const publisher = connect().channel(name);
  const positions = await count(publisher, 1, 10);

  const live = await followed(channel);
  const last = await followed(channel, { rewind: 3 });
  const after = await followed(channel, { after: positions[3]! });
  const all = await followed(channel, { after: positions[0]!.replace(/\d+$/, "0") });
  const before = network.bytesReceived;
  await publisher.publish("n", "x".repeat(50_000));
  await count(publisher, 11, 12);

  await until(() => [live, last, after, all].every(({ data }) => data.includes(12)));
  const numbers = [live, last, after, all].map(({ data }) => data.filter((n) => typeof n === "number"));
  expect(numbers).toEqual([range(11, 12), range(8, 12), range(5, 12), range(1, 12)]);
  expect(network.bytesReceived - before).toBeLessThan(60_000);
});

test("a_subscription_that_ends_leaves_the_others_and_the_last_one_leaves_the_channel", async () => {
  const name = newChannel();
  const network = await faultyNetwork();
  const channel = connect({ url: network.hubUrl }).channel(name);
  const publisher = connect().channel(name);
  const first = await followed(channel);
  const second = await followed(channel);

  first.subscription.unsubscribe();
  await count(publisher, 1, 1);
  await until(() => second.messages.length === 1);
  second.subscription.unsubscribe();
  // Answered after what was sent before it.
  await channel.history();
  const before = network.bytesReceived;
  await publisher.publish("n", "x".repeat(50_000));
  await channel.history({ limit: 1, after: second.messages[0]!.position }).catch(() => {});
  const again = await followed(channel, { rewind: 1 });

  expect(first.data).toEqual([]);
  expect(second.data).toEqual([1]);
  expect(again.data).toEqual(["x".repeat(50_000)]);
  // Once by history, once by rewind, not live.
  expect(network.bytesReceived - before).toBeLessThan(120_000);
});

test("a_subscription_begins_with_the_history_that_it_asked_for", async () => {
  const name = newChannel();
  const positions = await count(connect().channel(name), 1, 5);
  expect((await followed(connect().channel(name), { rewind: 2 })).data).toEqual([4, 5]);
  expect((await followed(connect().channel(name), { after: positions[1]! })).data).toEqual([3, 4, 5]);
  expect((await followed(connect().channel(name))).data).toEqual([]);
});

test("a_long_history_comes_whole_and_in_order_while_others_publish", async () => {
  const name = newChannel();
  const publisher = connect().channel(name);
  const first = await publisher.publish("n", 0);
  await post(name, range(1, 2_500));

  const channel = connect().channel(name);
  const alone = follow(channel, { after: first });
  const more = count(publisher, 2_501, 2_600);
  await alone.subscription.ready;
  // This one shares the subscription of the first.
  const second = await followed(channel, { after: first });
  await more;

  await until(() => alone.messages.length >= 2_600 && second.messages.length >= 2_600);
  expect(alone.data).toEqual(range(1, 2_600));
  expect(second.data).toEqual(range(1, 2_600));
  expect([...alone.gaps, ...second.gaps]).toEqual([]);
});

test("the_history_is_read_in_parts", async () => {
  const channel = connect().channel(newChannel());
  const positions = await count(channel, 1, 10);

  const newest = await channel.history({ limit: 3 });
  const before = await channel.history({ before: newest.messages[0]!.position, limit: 2 });
  const after = await channel.history({ after: positions[7]! });

  const data = ({ messages }: { messages: readonly ChannelMessage[] }): unknown[] => messages.map((message) => message.data);
  expect([data(newest), data(before), data(after)]).toEqual([[8, 9, 10], [6, 7], [9, 10]]);
  expect(newest.position).toBe(positions[9]);
});

test("a_channel_is_refused_with_its_code_and_the_others_go_on", async () => {
  const connection = connect(as("ada", ["publish"]));
  const closed: string[] = [];
  const channel = connection.channel(newChannel());

  const refused = channel.subscribe(() => {}, { onClosed: ({ code }) => closed.push(code) });

  await expect(refused.ready).rejects.toMatchObject({ code: "forbidden" });
  expect(closed).toEqual(["forbidden"]);
  await expect(connection.channel("no//name").subscribe(() => {}).ready).rejects.toMatchObject({ code: "invalid_name" });
  await expect(channel.publish("n", 1)).resolves.toMatch(/-1$/);
  expect(connection.status).toBe("connected");
});

test("a_subscription_with_a_wrong_position_is_refused_alone", async () => {
  const channel = connect().channel(newChannel());
  const wrong = follow(channel, { after: "nonsense" });
  const right = follow(channel);
  const late = follow(channel, { after: "no-position" });

  await expect(wrong.subscription.ready).rejects.toMatchObject({ code: "invalid_position" });
  await expect(late.subscription.ready).rejects.toMatchObject({ code: "invalid_position" });
  await right.subscription.ready;
  await count(channel, 1, 1);
  await until(() => right.data.length === 1);
});

test("a_destroyed_connection_ends_subscriptions_and_publishing", async () => {
  const connection = connect({ url: "http://127.0.0.1:9/hubs/collab" });
  const channel = connection.channel(newChannel());
  const { ready } = channel.subscribe(() => {});
  const publishing = channel.publish("n", 1);

  await connection.destroy();

  for (const ended of [ready, publishing, channel.publish("n", 2), channel.subscribe(() => {}).ready])
    await expect(ended).rejects.toMatchObject({ code: "disconnected" });
});
