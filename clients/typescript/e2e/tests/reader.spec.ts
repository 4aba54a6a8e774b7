import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { expect, test as base } from "../fixtures";
import { tokenOf } from "../../testing/CollabHost";
import { FaultyNetwork } from "../../testing/FaultyNetwork";

/** `@collab/client/events` as it is built, in a page of the server that has nothing else. */
const READER = readFileSync(fileURLToPath(new URL("../../packages/client/dist/events.js", import.meta.url)), "utf8");

interface Seen {
  readonly channel: string;
  readonly data: unknown;
}

interface ReaderWindow {
  reader: { readonly position: string | undefined; close(): void };
  seen: Seen[];
  gaps: { channel: string }[];
  ticketFor?(path: string): Promise<string>;
}

const test = base.extend<{ network: FaultyNetwork; names: string[]; blank: Page }>({
  network: async ({ host }, use) => {
    const network = await FaultyNetwork.to(host.port);
    await use(network);
    await network.dispose();
  },
  names: async ({}, use) => use([`e2e:${randomUUID()}`, `e2e:x/${randomUUID()}`]),
  blank: async ({ page, network }, use) => {
    await page.route("**/reader.js", (route) => route.fulfill({ contentType: "text/javascript", body: READER }));
    await page.goto(`${network.url}/health/live`);
    await use(page);
    await page.close();
  },
});

/** Starts a reader in the page that notes what it gets. */
async function read(page: Page, channel: string | string[], options: { after?: string; rewind?: number } = {}): Promise<void> {
  await page.evaluate(
    async ([channel, options]) => {
      // A path of the page's own, which only the browser knows.
      const path = "/reader.js";
      const { readChannel } = (await import(path)) as { readChannel: (...args: unknown[]) => ReaderWindow["reader"] };
      const window = globalThis as unknown as ReaderWindow;
      const note = (message: Seen): void => void window.seen.push(message);
      Object.assign(window, { seen: [], gaps: [] });
      window.reader = readChannel("", channel, { n: note, error: note }, { ...options, ...(window.ticketFor && { ticket: window.ticketFor }), onGap: (gap: { channel: string }) => window.gaps.push(gap) });
    },
    [channel, options] as const,
  );
}

async function publish(url: string, channel: string, ...messages: unknown[]): Promise<string[]> {
  const response = await fetch(`${url}/channels/${encodeURIComponent(channel)}/messages`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(messages.map((data) => ({ event: data === "error" ? "error" : "n", data }))),
  });
  return ((await response.json()) as { positions: string[] }).positions;
}

function seen(page: Page): Promise<unknown[]> {
  return page.evaluate(() => (globalThis as unknown as ReaderWindow).seen.map(({ data }) => data));
}

test("a page without SignalR reads a channel from a position, and goes on from its own after a reload", async ({ blank, host, names }) => {
  const [name] = names as [string];
  const positions = await publish(host.url, name, 1, 2, 3);
  await read(blank, name, { after: positions[0]! });
  await expect.poll(() => seen(blank)).toEqual([2, 3]);
  await publish(host.url, name, "error", 5);
  await expect.poll(() => seen(blank)).toEqual([2, 3, "error", 5]);
  const position = await blank.evaluate(() => (globalThis as unknown as ReaderWindow).reader.position);

  await blank.reload();
  await publish(host.url, name, 6);
  await read(blank, name, { after: position! });

  await expect.poll(() => seen(blank)).toEqual([6]);
});

test("several channels come over one request, each told by its name, through cuts", async ({ blank, host, names, network }) => {
  const streams: string[] = [];
  blank.on("request", (request) => request.url().includes("/events") && streams.push(request.url()));
  for (const name of names) await publish(host.url, name, 1);
  await read(blank, names, { rewind: 1 });
  await expect.poll(async () => (await seen(blank)).length).toBe(2);
  expect(streams).toHaveLength(1);

  for (let n = 2; n < 5; n++) {
    network.cut();
    for (const name of names) await publish(host.url, name, n);
    network.restore();
    await expect.poll(async () => (await seen(blank)).length).toBe(n * 2);
  }

  const all = await blank.evaluate(() => (globalThis as unknown as ReaderWindow).seen);
  for (const name of names) expect(all.filter(({ channel }) => channel === name).map(({ data }) => data)).toEqual([1, 2, 3, 4]);
});

test("a reader without cookies buys a ticket for each stream, and goes on through cuts", async ({ blank, host, names, network }) => {
  const [name] = names as [string];
  const bought: string[] = [];
  await blank.exposeFunction("ticketFor", async (path: string) => {
    bought.push(path);
    const headers = { Authorization: `Bearer ${tokenOf("ada", ["subscribe"])}`, "Content-Type": "application/json" };
    const response = await fetch(`${host.url}/tickets`, { method: "POST", headers, body: JSON.stringify({ path }) });
    return ((await response.json()) as { ticket: string }).ticket;
  });
  const streams: string[] = [];
  blank.on("request", (request) => request.url().includes("/events") && streams.push(request.url()));
  await read(blank, name, { rewind: 1 });

  for (let n = 1; n < 4; n++) {
    await publish(host.url, name, n);
    await expect.poll(() => seen(blank)).toEqual(Array.from({ length: n }, (_, i) => i + 1));
    network.cut();
    network.restore();
  }

  await publish(host.url, name, 4);
  await expect.poll(() => seen(blank)).toEqual([1, 2, 3, 4]);
  expect(new Set(bought)).toEqual(new Set([`/channels/${encodeURIComponent(name)}/events`]));
  expect(streams.length).toBeGreaterThan(3);
  expect(new Set(streams.map((url) => new URL(url).searchParams.get("ticket"))).size).toBe(streams.length);
});

test("an answer that makes the browser give up is tried again, and nothing is lost", async ({ blank, host, names, network }) => {
  const [name] = names as [string];
  await read(blank, name, { rewind: 1 });
  await publish(host.url, name, 1);
  await expect.poll(() => seen(blank)).toEqual([1]);

  let refused = 0;
  await blank.route("**/events?*", (route) => (refused++, route.fulfill({ status: 503 })));
  network.cut();
  network.restore();
  await publish(host.url, name, 2);
  await expect.poll(() => refused).toBeGreaterThan(1);
  await blank.unroute("**/events?*");
  await publish(host.url, name, 3);

  await expect.poll(() => seen(blank)).toEqual([1, 2, 3]);
});

test("a position of a log that is gone is told as a gap", async ({ blank, host, names }) => {
  const [name] = names as [string];
  await publish(host.url, name, 1, 2);
  await read(blank, name, { after: "abc123-7" });
  await expect.poll(() => seen(blank)).toEqual([1, 2]);
  expect(await blank.evaluate(() => (globalThis as unknown as ReaderWindow).gaps)).toEqual([{ channel: name, position: expect.stringMatching(/-0$/) }]);
});

test("a reader that is closed asks for nothing more", async ({ blank, host, names, network }) => {
  const [name] = names as [string];
  await read(blank, name, { rewind: 1 });
  await publish(host.url, name, 1);
  await expect.poll(() => seen(blank)).toEqual([1]);
  await blank.evaluate(() => (globalThis as unknown as ReaderWindow).reader.close());
  const asked: string[] = [];
  blank.on("request", (request) => request.url().includes("/events") && asked.push(request.url()));
  network.cut();
  network.restore();
  await publish(host.url, name, 2);
  // Longer than a browser waits before it comes back.
  await blank.waitForTimeout(1_500);
  expect(asked).toEqual([]);
  expect(await seen(blank)).toEqual([1]);
});
