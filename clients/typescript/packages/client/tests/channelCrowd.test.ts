import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Channel, CollabConnection } from "../src/index.js";
import { as, connect, faultyNetwork, follow, newChannel, range, TRANSPORTS, until } from "./clients.js";
import type { Follower } from "./clients.js";

/** How long a crowd goes on, in milliseconds. */
const TIME = process.env["COLLAB_LONG"] === "1" ? 60_000 : 4_000;

/** Numbers from 0 to 1 that a seed determines (mulberry32). */
function randomFrom(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Listener extends Follower {
  /** The number of the first message that it must get; undefined when that depends on when the server heard of it. */
  readonly first: number | undefined;
}

test.each([1, 2, 3])(
  "whoever_comes_goes_and_is_cut_off_each_subscription_gets_everything_once_and_in_order_%i",
  async (seed) => {
    const random = randomFrom(seed);
    const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
    const name = newChannel();
    const networks = await Promise.all(TRANSPORTS.map(() => faultyNetwork()));
    const connections: CollabConnection[] = networks.map(({ hubUrl: url }, i) => connect({ url, connection: TRANSPORTS[i]!, backoff: { maximum: 50 }, ...as(`user-${i}`) }));
    const channels: Channel[] = connections.map((connection) => connection.channel(name));
    const publisher = connect({ backoff: { maximum: 50 } });
    const positions: string[] = [];
    let stopping = false;
    const publishing = (async () => {
      // Numbers from 1, as the offsets of the log.
      while (!stopping) positions.push(await publisher.channel(name).publish("n", positions.length + 1));
    })();
    await until(() => positions.length > 0);

    const listeners: Listener[] = [];
    const begin = (): void => {
      const channel = pick(channels);
      const presence = random() < 0.3 ? { presence: random() } : {};
      const after = Math.floor(random() * positions.length);
      const [first, options] = pick([
        [undefined, {}] as const,
        [after + 2, { after: positions[after]! }] as const,
        [undefined, { rewind: Math.floor(random() * 50) }] as const,
      ]);
      listeners.push(Object.assign(follow(channel, { ...options, ...presence }), { first }));
    };
    const end = Date.now() + TIME;
    const gone = new Set<Listener>();
    while (Date.now() < end) {
      const dice = random();
      if (dice < 0.4) begin();
      else if (dice < 0.6 && listeners.length > 0) {
        const listener = pick(listeners);
        gone.add(listener);
        listener.subscription.unsubscribe();
      } else if (dice < 0.75) {
        const network = pick(networks);
        network.cut();
        await wait(random() * 60);
        network.restore();
      } else if (dice < 0.85) pick(connections).reconnect();
      else if (dice < 0.88) publisher.reconnect();
      await wait(random() * 40);
    }
    begin();
    stopping = true;
    await publishing;
    const last = await publisher.channel(name).publish("n", positions.length + 1);

    const staying = listeners.filter((listener) => !gone.has(listener));
    await until(() => staying.every(({ subscription }) => subscription.position === last)).catch(() => {});
    for (const listener of listeners) {
      const [from = 1, to = 0] = [listener.data[0] as number | undefined, listener.data.at(-1) as number | undefined];
      expect(listener.data, `seed ${seed}`).toEqual(range(from, to));
      expect(listener.gaps, `seed ${seed}`).toEqual([]);
      if (listener.first !== undefined && listener.data.length > 0) expect(from, `seed ${seed}`).toBe(listener.first);
    }
    for (const { subscription } of staying) expect(subscription.position, `seed ${seed}`).toBe(last);
    expect(staying.length).toBeGreaterThan(0);
    expect(positions.map((position) => Number(position.split("-")[1]))).toEqual(range(1, positions.length));
  },
  TIME + 60_000,
);
