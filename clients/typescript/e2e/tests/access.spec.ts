import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "@playwright/test";
import { expect, test as base, TRANSPORTS } from "../fixtures";
import { CollabHost, tokenOf } from "../../testing/CollabHost";
import { FaultyNetwork } from "../../testing/FaultyNetwork";

/** How many seconds a token holds that is renewed within a test. */
const SHORT = 3;
const COOKIE = "collab-token";

/** What the page's own build of the client can do, as far as it is used here. */
interface Connection {
  on(event: "status", listener: (change: { status: string }) => void): void;
  channel(name: string): {
    publish(event: string, data: unknown): Promise<string>;
    subscribe(listener: (message: { data: unknown }) => void): { readonly ready: Promise<void> };
  };
}

interface TestWindow {
  readonly collab: { readonly connection: { readonly constructor: new (options: object) => Connection } };
  freshToken(): Promise<string>;
  signedIn: { readonly connection: Connection; readonly statuses: string[]; readonly seen: unknown[] };
}

const test = base.extend<{ foreign: Page; site: FaultyNetwork }, { withCookies: CollabHost }>({
  /** A server that finds tokens in a cookie, as a page of its own site has it. */
  withCookies: [
    async ({}, use) => {
      const host = await CollabHost.start({ settings: { "Collab:Security:TokenCookie": COOKIE } });
      await use(host);
      await host.dispose();
    },
    { scope: "worker" },
  ],
  site: async ({ withCookies }, use) => {
    const network = await FaultyNetwork.to(withCookies.port);
    await use(network);
    await network.dispose();
  },
  /**
   * A page of another origin, in the browser of somebody who is signed in by the cookie. It is of the same site, as a neighbouring
   * subdomain is: there no `SameSite` keeps the cookie back.
   */
  foreign: async ({ browser, site }, use) => {
    const server = createServer((_, response) => response.setHeader("Content-Type", "text/html").end("<title>Win a prize</title>"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const context = await browser.newContext();
    await context.addCookies([{ name: COOKIE, value: tokenOf("ada"), url: site.url, sameSite: "Strict", httpOnly: true }]);
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await use(page);
    await context.close();
    server.close();
  },
});

for (const transport of Object.keys(TRANSPORTS))
  test(`a browser's token is renewed over ${transport} without an interruption, and stands in no address`, async ({ openPage, page: _ }) => {
    const tokens: string[] = [];
    const { page, network } = await openPage({ name: "Ada" });
    await page.exposeFunction("freshToken", () => (tokens.push(tokenOf("ada", undefined, SHORT)), tokens.at(-1)));
    const channel = `e2e:${randomUUID()}`;
    await page.evaluate(
      async ([transport, channel]) => {
        const window = globalThis as unknown as TestWindow;
        const connection = new window.collab.connection.constructor({ url: "/hubs/collab", connection: transport, accessTokenFactory: window.freshToken });
        const [statuses, seen] = [[] as string[], [] as unknown[]];
        connection.on("status", ({ status }) => statuses.push(status));
        await connection.channel(channel).subscribe(({ data }) => seen.push(data)).ready;
        window.signedIn = { connection, statuses, seen };
      },
      [transport, channel] as const,
    );
    const atFirst = tokens.length;

    let n = 0;
    for (const end = Date.now() + 2.2 * SHORT * 1000; Date.now() < end; n++)
      await page.evaluate(([channel, n]) => (globalThis as unknown as TestWindow).signedIn.connection.channel(channel).publish("n", n), [channel, n] as const);

    await expect.poll(() => page.evaluate(() => (globalThis as unknown as TestWindow).signedIn.seen)).toEqual(Array.from({ length: n }, (_, i) => i));
    const statuses = await page.evaluate(() => (globalThis as unknown as TestWindow).signedIn.statuses);
    expect(statuses.filter((status) => status !== "connecting")).toEqual(["connected"]);
    expect(tokens.length).toBeGreaterThan(atFirst + 1);
    expect(network.requests.some((head) => head.includes(tokens[0]!))).toBe(true);
    expect(network.addresses.filter((address) => address.includes("access_token") || tokens.some((token) => address.includes(token)))).toEqual([]);
  });

test("a page of another origin gets nothing out of the cookie of whoever looks at it", async ({ foreign, site, withCookies }) => {
  const channel = `e2e:${randomUUID()}`;
  const attack = await foreign.evaluate(
    async ([url, channel]) => {
      const message = JSON.stringify({ event: "n", data: "forged" });
      const socket = new WebSocket(`${url.replace("http", "ws")}/hubs/collab`);
      const isOpen = new Promise<boolean>((resolve) => ((socket.onopen = () => resolve(true)), (socket.onerror = () => resolve(false))));
      const stream = new EventSource(`${url}/channels/${channel}/events`, { withCredentials: true });
      const isStreaming = new Promise<boolean>((resolve) => ((stream.onopen = () => resolve(true)), (stream.onerror = () => resolve(false))));
      const fetched = async (path: string, init: RequestInit): Promise<string> => {
        try {
          const { type, status } = await fetch(url + path, { credentials: "include", ...init });
          return type === "opaque" ? "opaque" : String(status);
        } catch {
          return "blocked";
        }
      };
      return {
        socket: await isOpen,
        stream: await isStreaming,
        negotiation: await fetched("/hubs/collab/negotiate?negotiateVersion=1", { method: "POST" }),
        ticket: await fetched("/tickets", { method: "POST", body: JSON.stringify({ path: "/hubs/collab" }), headers: { "Content-Type": "application/json" } }),
        // What is sent without asking first, as forms are; the answer cannot be read.
        message: await fetched(`/channels/${channel}/messages`, { method: "POST", body: message, mode: "no-cors" }),
        history: await fetched(`/channels/${channel}/messages?wait=0`, {}),
        embedded: await fetched(`/channels/${channel}/events`, { mode: "no-cors" }),
      };
    },
    [site.url, channel] as const,
  );

  expect(attack).toEqual({ socket: false, stream: false, negotiation: "blocked", ticket: "blocked", message: "opaque", history: "blocked", embedded: "opaque" });
  // The cookie did come along: it is the server that refused.
  const upgrade = site.requests.find((head) => /^upgrade: *websocket/im.test(head))!;
  expect(upgrade).toContain(`${COOKIE}=`);
  const history = await fetch(`${withCookies.url}/channels/${encodeURIComponent(channel)}/messages?wait=0`);
  expect(((await history.json()) as { messages: unknown[] }).messages).toEqual([]);
});

test("a page of the same site is signed in by the cookie, with a bare WebSocket and a bare EventSource too", async ({ browser, site }) => {
  const context = await browser.newContext();
  await context.addCookies([{ name: COOKIE, value: tokenOf("ada", ["subscribe"]), url: site.url, sameSite: "Strict", httpOnly: true }]);
  const page = await context.newPage();
  await page.goto(`${site.url}/health/live`);

  const opened = await page.evaluate(async () => {
    const socket = new WebSocket("/hubs/collab");
    const isOpen = new Promise<boolean>((resolve) => ((socket.onopen = () => resolve(true)), (socket.onerror = () => resolve(false))));
    const stream = new EventSource("/channels/c/events");
    const isStreaming = new Promise<boolean>((resolve) => ((stream.onopen = () => resolve(true)), (stream.onerror = () => resolve(false))));
    // Who is no guest may do only what his token says.
    const { status } = await fetch("/channels/c/messages", { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } });
    return { socket: await isOpen, stream: await isStreaming, publishing: status };
  });

  expect(opened).toEqual({ socket: true, stream: true, publishing: 403 });
  await context.close();
});
