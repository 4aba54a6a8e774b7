import { describe, expect, test } from "vitest";
import type { CollabError } from "../src/index.js";
import { connect, faultyNetwork, follow, followed, newChannel, ownHost, post, range, TRANSPORTS, until } from "./clients.js";
import type { Follower } from "./clients.js";

/** Rows of a table, of ten rooms in turn. */
function rows(from: number, to: number): { record: { id: number; room_id: number } }[] {
  return range(from, to).map((id) => ({ record: { id, room_id: id % 10 } }));
}

function ids({ data }: Follower): number[] {
  return data.map((row) => (row as { record: { id: number } }).record.id);
}

describe.each(TRANSPORTS)("over %s", (connection) => {
  test("subscriptions_with_different_filters_share_a_connection_and_get_each_its_rows_also_after_a_cut", async () => {
    const network = await faultyNetwork();
    const name = newChannel();
    const ours = connect({ url: network.hubUrl, connection });
    const seven = await followed(ours.channel(name), { filter: "room_id=eq.7" });
    const late = await followed(ours.channel(name), { filter: "room_id=in.(8,9)&id=gt.100" });
    const all = await followed(ours.channel(name));
    await post(name, rows(1, 100));
    await until(() => all.data.length === 100);

    network.cut();
    await until(() => ours.status !== "connected");
    await post(name, rows(101, 200));
    network.restore();
    await until(() => all.data.length === 200);
    await post(name, rows(201, 300));

    await until(() => all.data.length === 300 && seven.data.length === 30 && late.data.length === 40);
    expect(ids(seven)).toEqual(range(1, 300).filter((id) => id % 10 === 7));
    expect(ids(late)).toEqual(range(101, 300).filter((id) => id % 10 >= 8));
    expect(ids(all)).toEqual(range(1, 300));
    expect([seven, late, all].flatMap(({ gaps }) => gaps)).toEqual([]);
  });
});

test("one_for_whom_nothing_was_comes_back_when_the_history_has_moved_on_and_has_lost_nothing", async () => {
  const host = await ownHost({ "Collab:Channels:Default:HistoryMessages": "50" });
  const network = await faultyNetwork(host.port);
  const name = newChannel();
  const ours = connect({ url: network.hubUrl });
  const seven = await followed(ours.channel(name), { filter: "room_id=eq.7" });
  const beginning = seven.subscription.position;
  for (let round = 0; round < 20; round++) await post(name, rows(1, 6), host.url);
  await until(() => seven.subscription.position!.endsWith("-120"));
  expect(beginning).toMatch(/-0$/);

  network.cut();
  await until(() => ours.status !== "connected");
  await post(name, rows(1, 7), host.url);
  network.restore();

  await until(() => seven.data.length === 1);
  expect(seven.gaps).toEqual([]);
});

test("one_who_comes_later_reads_the_history_by_his_filter", async () => {
  const name = newChannel();
  const positions = await post(name, rows(1, 3_000));
  const ours = connect();
  const shared = await followed(ours.channel(name), { filter: "room_id=eq.7" });
  const newest = await followed(ours.channel(name), { filter: "room_id=eq.7", rewind: 5 });
  const after = await followed(ours.channel(name), { filter: "room_id=eq.7", after: positions[1_999]! });
  await post(name, rows(3_001, 3_020));

  await until(() => [shared, newest, after].every(({ data }) => ids({ data } as Follower).includes(3_017)));
  expect(ids(shared)).toEqual([3_007, 3_017]);
  expect(ids(newest)).toEqual([2_957, 2_967, 2_977, 2_987, 2_997, 3_007, 3_017]);
  expect(ids(after)).toEqual(range(2_001, 3_020).filter((id) => id % 10 === 7));
  expect([shared, newest, after].flatMap(({ gaps }) => gaps)).toEqual([]);
});

test("a_filter_that_is_none_ends_its_own_subscription_alone", async () => {
  const name = newChannel();
  const ours = connect();
  const errors: CollabError[] = [];
  const wrong = follow(ours.channel(name), { filter: "room_id=like.7", onClosed: (error) => errors.push(error) });
  const present = follow(ours.channel(name), { filter: "room_id=eq.7", presence: true, onClosed: (error) => errors.push(error) });
  const right = await followed(ours.channel(name));
  await expect(wrong.subscription.ready).rejects.toMatchObject({ code: "invalid_argument" });
  await expect(present.subscription.ready).rejects.toMatchObject({ code: "invalid_name" });
  expect(errors).toHaveLength(2);

  await post(name, rows(1, 1));
  await until(() => right.data.length === 1);
  expect(wrong.data).toEqual([]);
});

test("a_subscription_that_has_ended_gets_nothing_of_its_filter_any_more", async () => {
  const name = newChannel();
  const ours = connect();
  const seven = await followed(ours.channel(name), { filter: "room_id=eq.7" });
  const all = await followed(ours.channel(name));
  seven.subscription.unsubscribe();
  await post(name, rows(1, 10));
  await until(() => all.data.length === 10);
  expect(seven.data).toEqual([]);
});
