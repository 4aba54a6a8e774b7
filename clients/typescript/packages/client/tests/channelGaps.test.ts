import { describe, expect, test } from "vitest";
import type { ChannelGap, MembersChange } from "../src/index.js";
import { as, connect, count, faultyNetwork, follow, followed, newChannel, ownHost, post, range, TRANSPORTS, until } from "./clients.js";

/** Keeps few messages, in channels named `brief:…` fewer still, and some in memory alone. */
const BRIEF = {
  "Collab:Channels:Namespaces:0:Pattern": "brief:*",
  "Collab:Channels:Namespaces:0:HistoryMessages": "5",
  "Collab:Channels:Namespaces:1:Pattern": "memory:*",
  "Collab:Channels:Namespaces:1:Ephemeral": "true",
};

describe.each(TRANSPORTS)("over %s", (connection) => {
  test("one_who_comes_back_when_the_history_has_moved_on_is_told_of_the_gap_and_goes_on", async () => {
    const host = await ownHost(BRIEF);
    const network = await faultyNetwork(host.port);
    const name = `brief:${newChannel()}`;
    const ours = connect({ url: network.hubUrl, connection });
    const told: (ChannelGap | unknown)[] = [];
    const subscription = ours.channel(name).subscribe(({ data }) => told.push(data), { onGap: (gap) => told.push(gap) });
    await subscription.ready;
    const publisher = connect({ url: host.hubUrl }).channel(name);
    const [, second] = await count(publisher, 1, 2);
    await until(() => told.length === 2);

    network.cut();
    await until(() => ours.status !== "connected");
    const positions = await count(publisher, 3, 40);
    network.restore();
    await until(() => told.includes(40));
    await count(publisher, 41, 41);

    await until(() => told.includes(41));
    const first = told[3] as number;
    expect(first).toBeGreaterThan(3);
    expect(told).toEqual([1, 2, { after: second, position: positions[first - 4] }, ...range(first, 41)]);
  });
});

test("a_channel_that_began_anew_tells_of_a_gap_and_gives_what_it_has", async () => {
  const host = await ownHost(BRIEF);
  const name = `memory:${newChannel()}`;
  const ours = connect({ url: host.hubUrl });
  const follower = await followed(ours.channel(name));
  await count(ours.channel(name), 1, 2);
  await until(() => follower.messages.length === 2);

  await host.kill();
  await host.start();
  await until(() => follower.gaps.length === 1);
  await count(ours.channel(name), 3, 3);

  await until(() => follower.data.includes(3));
  expect(follower.data).toEqual([1, 2, 3]);
  expect(follower.gaps).toEqual([expect.stringMatching(/-0$/)]);
});

test("one_who_asks_for_what_is_lost_is_told_also_when_others_share_the_channel", async () => {
  const host = await ownHost(BRIEF);
  const name = `brief:${newChannel()}`;
  const [first] = await post(name, range(1, 50), host.url);
  const channel = connect({ url: host.hubUrl }).channel(name);

  const alone = await followed(channel, { after: first! });
  const late = await followed(channel, { after: first! });
  const few = await followed(channel, { after: first!, rewind: 2 });
  await count(channel, 51, 51);

  await until(() => [alone, late, few].every(({ data }) => data.includes(51)));
  expect(alone.data).toEqual(late.data);
  expect(alone.data.length).toBeLessThan(50);
  expect(few.data).toEqual([49, 50, 51]);
  for (const { gaps } of [alone, late, few]) expect(gaps).toHaveLength(1);
});

test("after_a_gap_with_a_rewind_only_the_last_messages_come", async () => {
  const host = await ownHost(BRIEF);
  const name = `brief:${newChannel()}`;
  const [first] = await post(name, range(1, 50), host.url);
  const follower = await followed(connect({ url: host.hubUrl }).channel(name), { after: first!, rewind: 2 });
  expect(follower.data).toEqual([49, 50]);
  expect(follower.gaps).toHaveLength(1);
});

describe.each(["webSockets", "longPolling"] as const)("members over %s", (connection) => {
  test("those_who_show_themselves_see_who_comes_goes_and_changes", async () => {
    const name = newChannel();
    const ada = connect({ connection, ...as("ada") });
    const seen: string[] = [];
    const changes: MembersChange[] = [];
    const subscription = ada.channel(name).subscribe(() => {}, {
      presence: { name: "Ada" },
      onMembers: (members, change) => {
        seen.push(members.map(({ userId, data }) => `${userId} ${JSON.stringify(data)}`).sort().join());
        changes.push(change);
      },
    });
    await subscription.ready;
    const grace = connect({ connection, ...as("grace") });
    const quiet = await followed(connect(as("alan")).channel(name));

    const first = await followed(grace.channel(name), { presence: true });
    const members = await ada.channel(name).members();
    first.subscription.unsubscribe();

    await until(() => seen.length === 3);
    expect(seen).toEqual(['ada {"name":"Ada"}', 'ada {"name":"Ada"},grace true', 'ada {"name":"Ada"}']);
    expect(changes[2]).toMatchObject({ joined: [], left: [{ userId: "grace", data: true }] });
    expect(members.map(({ userId }) => userId).sort()).toEqual(["ada", "grace"]);
    expect(quiet.messages).toEqual([]);
  });

  test("the_members_are_known_again_after_an_outage", async () => {
    const name = newChannel();
    const network = await faultyNetwork();
    const ours = connect({ connection, url: network.hubUrl, ...as("ada") });
    let members: unknown[] = [];
    await ours.channel(name).subscribe(() => {}, { presence: true, onMembers: (all) => (members = all.map(({ userId }) => userId).sort()) }).ready;
    const grace = await followed(connect(as("grace")).channel(name), { presence: true });
    await until(() => members.length === 2);

    network.cut();
    await until(() => ours.status !== "connected");
    await followed(connect(as("alan")).channel(name), { presence: true });
    grace.subscription.unsubscribe();
    network.restore();

    await until(() => members.join() === "ada,alan");
  });
});

test("the_newest_subscription_says_what_is_shown_and_the_last_with_presence_takes_it_away", async () => {
  const name = newChannel();
  const watcher: string[] = [];
  await connect(as("watcher"))
    .channel(name)
    .subscribe(() => {}, { presence: "w", onMembers: (all) => watcher.push(all.filter(({ userId }) => userId === "ada").map(({ data }) => String(data)).join()) }).ready;
  const channel = connect(as("ada")).channel(name);
  const plain = await followed(channel);

  const one = await followed(channel, { presence: "one" });
  const two = await followed(channel, { presence: "two" });
  await until(() => watcher.at(-1) === "two");
  two.subscription.unsubscribe();
  await until(() => watcher.at(-1) === "one");
  one.subscription.unsubscribe();
  await until(() => watcher.at(-1) === "");
  await count(channel, 1, 3);

  await until(() => plain.messages.length === 3);
  expect(plain.data).toEqual([1, 2, 3]);
  expect(plain.gaps).toEqual([]);
});

test("presence_that_is_too_large_or_no_json_is_refused_for_its_subscription_alone", async () => {
  const channel = connect(as("ada")).channel(newChannel());
  const plain = await followed(channel);
  const shown = follow(channel, { presence: "x".repeat(10_000) });
  const circle: unknown[] = [];
  circle.push(circle);
  await expect(shown.subscription.ready).rejects.toMatchObject({ code: "too_large" });
  await expect(channel.subscribe(() => {}, { presence: circle }).ready).rejects.toMatchObject({ code: "invalid_message" });
  await count(channel, 1, 1);
  await until(() => plain.messages.length === 1);
});
